"""Pictures larger than memory."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .plane_stylizer import PlaneStylizer
    from .planes import Plane
    from .settings import TileSettings
    from .stylizer import LargePicture, LargeStylizer
    from .tiled_network import TiledNetwork

__all__ = [
    "LargePicture",
    "LargeStylizer",
    "Plane",
    "PlaneStylizer",
    "TileSettings",
    "TiledNetwork",
]

__getattr__ = lazy(
    __name__,
    {
        "LargePicture": "stylizer",
        "LargeStylizer": "stylizer",
        "Plane": "planes",
        "PlaneStylizer": "plane_stylizer",
        "TileSettings": "settings",
        "TiledNetwork": "tiled_network",
    },
)
