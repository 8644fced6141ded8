"""What every room requires: errors, files, hardware, optional libraries, progress, assets."""

from typing import TYPE_CHECKING

from .lazy import lazy

if TYPE_CHECKING:
    from .assets import BUNDLED_PHOTOS, BUNDLED_STYLES, CONF_DIR
    from .errors import FastTransferError, brief, shown_name
    from .files import fresh_folder, is_remote, whole_file, write_whole
    from .hardware import has_bfloat16, pick_device
    from .libraries import is_installed, require
    from .paths import check_regular, exists, expand_user, is_file, is_folder, open_regular
    from .progress import Report
    from .scratch import scratch_folder
    from .values import as_list

__all__ = [
    "BUNDLED_PHOTOS",
    "BUNDLED_STYLES",
    "CONF_DIR",
    "FastTransferError",
    "Report",
    "as_list",
    "brief",
    "check_regular",
    "exists",
    "expand_user",
    "fresh_folder",
    "has_bfloat16",
    "is_file",
    "is_folder",
    "is_installed",
    "is_remote",
    "open_regular",
    "pick_device",
    "require",
    "scratch_folder",
    "shown_name",
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
        "check_regular": "paths",
        "exists": "paths",
        "expand_user": "paths",
        "fresh_folder": "files",
        "has_bfloat16": "hardware",
        "is_file": "paths",
        "is_folder": "paths",
        "is_installed": "libraries",
        "is_remote": "files",
        "open_regular": "paths",
        "pick_device": "hardware",
        "require": "libraries",
        "scratch_folder": "scratch",
        "shown_name": "errors",
        "whole_file": "files",
        "write_whole": "files",
    },
)
