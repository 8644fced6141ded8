"""Pictures through a trained network."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .engine import Engine
    from .engines import open_engine
    from .export import export_style
    from .settings import EngineSettings, MaskSettings, StylizerSettings
    from .strokes import GuidedUpsampler
    from .stylizer import Stylizer

__all__ = [
    "Engine",
    "EngineSettings",
    "GuidedUpsampler",
    "MaskSettings",
    "Stylizer",
    "StylizerSettings",
    "export_style",
    "open_engine",
]

__getattr__ = lazy(
    __name__,
    {
        "Engine": "engine",
        "EngineSettings": "settings",
        "GuidedUpsampler": "strokes",
        "MaskSettings": "settings",
        "Stylizer": "stylizer",
        "StylizerSettings": "settings",
        "export_style": "export",
        "open_engine": "engines",
    },
)
