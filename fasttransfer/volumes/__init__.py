"""Stacks of slices."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .files import Volume, open_volume
    from .stylizing import stylize_volume, stylize_volumes

__all__ = ["Volume", "open_volume", "stylize_volume", "stylize_volumes"]

__getattr__ = lazy(
    __name__,
    {
        "Volume": "files",
        "open_volume": "files",
        "stylize_volume": "stylizing",
        "stylize_volumes": "stylizing",
    },
)
