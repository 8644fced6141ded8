"""A camera, stylized live, on a page in the browser."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .names import is_camera
    from .run import run_live
    from .session import Session

__all__ = ["Session", "is_camera", "run_live"]

__getattr__ = lazy(__name__, {"Session": "session", "is_camera": "names", "run_live": "run"})
