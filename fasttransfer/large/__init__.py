"""Pictures larger than memory."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .planes import Plane
    from .settings import TileSettings
    from .stylizer import LargePicture, stylize_plane
    from .tiled_network import TiledNetwork

__all__ = ["LargePicture", "Plane", "TileSettings", "TiledNetwork", "stylize_plane"]

__getattr__ = lazy(
    __name__,
    {
        "LargePicture": "stylizer",
        "Plane": "planes",
        "TileSettings": "settings",
        "TiledNetwork": "tiled_network",
        "stylize_plane": "stylizer",
    },
)
