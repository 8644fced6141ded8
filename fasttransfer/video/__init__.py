"""Reading and writing videos."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .clip import Clip
    from .reader import ClipReader
    from .settings import VideoSettings
    from .writer import VideoWriter

__all__ = ["Clip", "ClipReader", "VideoSettings", "VideoWriter"]

__getattr__ = lazy(
    __name__,
    {
        "Clip": "clip",
        "ClipReader": "reader",
        "VideoSettings": "settings",
        "VideoWriter": "writer",
    },
)
