"""What every room requires: errors, files, hardware, optional libraries, progress, assets."""

from typing import TYPE_CHECKING

from .lazy import lazy

if TYPE_CHECKING:
    from .assets import BUNDLED_PHOTOS, BUNDLED_STYLES, CONF_DIR
    from .errors import FastTransferError, brief
    from .files import fresh_folder, is_remote, whole_file, write_whole
    from .hardware import has_bfloat16, pick_device
    from .libraries import is_installed, require
    from .progress import Report
    from .values import as_list

__all__ = [
    "BUNDLED_PHOTOS",
    "BUNDLED_STYLES",
    "CONF_DIR",
    "FastTransferError",
    "Report",
    "as_list",
    "brief",
    "fresh_folder",
    "has_bfloat16",
    "is_installed",
    "is_remote",
    "pick_device",
    "require",
    "whole_file",
    "write_whole",
]

__getattr__ = lazy(
    __name__,
    {
        "BUNDLED_PHOTOS": "assets",
        "BUNDLED_STYLES": "assets",
        "CONF_DIR": "assets",
        "FastTransferError": "errors",
        "Report": "progress",
        "as_list": "values",
        "brief": "errors",
        "fresh_folder": "files",
        "has_bfloat16": "hardware",
        "is_installed": "libraries",
        "is_remote": "files",
        "pick_device": "hardware",
        "require": "libraries",
        "whole_file": "files",
        "write_whole": "files",
    },
)
