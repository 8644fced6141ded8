"""What training minimizes: one module for each family of terms."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .gram import gram_matrix
    from .objectives import OBJECTIVES, make_objective
    from .perceptual import PerceptualLoss
    from .temporal import TemporalLoss

__all__ = ["OBJECTIVES", "PerceptualLoss", "TemporalLoss", "gram_matrix", "make_objective"]

__getattr__ = lazy(
    __name__,
    {
        "OBJECTIVES": "objectives",
        "PerceptualLoss": "perceptual",
        "TemporalLoss": "temporal",
        "gram_matrix": "gram",
        "make_objective": "objectives",
    },
)
