"""What ``import fasttransfer`` offers; see ``docs/python.md``."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .cards import styles
    from .once import stylize
    from .style import Style, blend, load
    from .training import train

__all__ = ["Style", "blend", "load", "styles", "stylize", "train"]

__getattr__ = lazy(
    __name__,
    {
        "Style": "style",
        "blend": "style",
        "load": "style",
        "styles": "cards",
        "stylize": "once",
        "train": "training",
    },
)
