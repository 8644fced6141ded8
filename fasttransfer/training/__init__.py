"""Trains a network for one style image, or for many."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .build import build_training
    from .initialization import starting_style
    from .module import StyleTraining
    from .multi_style import BaseTraining, ManyStyles
    from .muon import Muon
    from .run import Run
    from .search import Search

__all__ = [
    "BaseTraining",
    "ManyStyles",
    "Muon",
    "Run",
    "Search",
    "StyleTraining",
    "build_training",
    "starting_style",
]

__getattr__ = lazy(
    __name__,
    {
        "BaseTraining": "multi_style",
        "ManyStyles": "multi_style",
        "Muon": "muon",
        "Run": "run",
        "Search": "search",
        "StyleTraining": "module",
        "build_training": "build",
        "starting_style": "initialization",
    },
)
