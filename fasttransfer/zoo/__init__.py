"""The styles that come with the package."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .gallery import Card, cards, sheet
    from .training import Training, trainings

__all__ = ["Card", "Training", "cards", "sheet", "trainings"]

__getattr__ = lazy(
    __name__,
    {
        "Card": "gallery",
        "Training": "training",
        "cards": "gallery",
        "sheet": "gallery",
        "trainings": "training",
    },
)
