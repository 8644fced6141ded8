"""The settings of the slow method, each checked where it is made."""

import math
from dataclasses import dataclass

from ..core.errors import FastTransferError
from ..core.values import number, whole_number
from ..losses.objectives import OBJECTIVES

STARTS = ("photo", "noise")
METHODS = ("lbfgs", "adam")


@dataclass(frozen=True)
class ObjectiveSettings:
    """What the slow method minimizes.

    Attributes:
        loss: ``balanced`` or ``johnson``, see ``conf/loss``.
        content_weight: α of the literature; None is that of the loss.
        style_weight: β; None is that of the loss.
        tv_weight: γ; None is that of the loss.
        weights: of the loss network, see ``VGG16Features``.

    Raises:
        FastTransferError: a value out of range.
    """

    loss: str
    content_weight: float | None
    style_weight: float | None
    tv_weight: float | None
    weights: str

    def __post_init__(self) -> None:
        _choose("loss", self.loss, OBJECTIVES)
        for name, weight in self.chosen_weights().items():
            number(f"slow.{name}_weight", weight, least=0)

    def chosen_weights(self) -> dict[str, float]:
        """The weights that are not those of the loss, by term."""
        weights = {"content": self.content_weight, "style": self.style_weight, "tv": self.tv_weight}
        return {name: weight for name, weight in weights.items() if weight is not None}


@dataclass(frozen=True)
class PixelSettings:
    """How the slow method minimizes it.

    Attributes:
        method: ``lbfgs`` or ``adam``.
        iterations: at each size.
        history: of L-BFGS, how many steps it keeps.
        lr: learning rate of Adam, in colors of [0, 1]; L-BFGS finds its own.
        start: ``photo`` or ``noise``.
        coarsest: longer side in pixels at which a large picture starts; it is then doubled.
        intermediate: None, or a folder for intermediate pictures.
        every: iterations between two of these.

    Raises:
        FastTransferError: a value out of range.
    """

    method: str
    iterations: int
    history: int
    lr: float
    start: str
    coarsest: int
    intermediate: str | None
    every: int

    def __post_init__(self) -> None:
        _choose("method", self.method, METHODS)
        _choose("start", self.start, STARTS)
        for name in ("iterations", "history", "coarsest", "every"):
            whole_number(f"slow.{name}", getattr(self, name), least=1)
        if not isinstance(self.lr, int | float) or not 0 < self.lr < math.inf:
            raise FastTransferError(f"slow.lr={self.lr} must be a number above 0.")


def _choose(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise FastTransferError(f"slow.{name}={value} must be {' or '.join(choices)}.")
