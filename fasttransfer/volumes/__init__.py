"""Stacks of slices."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .files import Volume, open_volume
    from .media import open_volumes, plan_volumes
    from .settings import VolumeSettings
    from .stylizing import VolumeStylizer

__all__ = [
    "Volume",
    "VolumeSettings",
    "VolumeStylizer",
    "open_volume",
    "open_volumes",
    "plan_volumes",
]

__getattr__ = lazy(
    __name__,
    {
        "Volume": "files",
        "VolumeSettings": "settings",
        "VolumeStylizer": "stylizing",
        "open_volume": "files",
        "open_volumes": "media",
        "plan_volumes": "media",
    },
)
