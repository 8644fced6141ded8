"""The commands."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .config import command

__all__ = ["command"]

__getattr__ = lazy(__name__, {"command": "config"})
