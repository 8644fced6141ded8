"""What every term of the loss looks at, and what it has to offer.

A new term is one class with a ``forward`` in a module of this package, one line under ``terms`` and one
weight in ``conf/loss``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

FULL, HALF, QUARTER = 1, 2, 4
_LEVEL_NAMES = {FULL: "full", HALF: "half", QUARTER: "quarter"}

Activations = Mapping[str, Tensor]


@dataclass(frozen=True)
class Level:
    """One size at which pictures are compared, as large shapes show only in reduced ones.

    Attributes:
        reduce: the sides are divided by this; 1 is full size.
        content: share of the content weight here.
        style: share of the style weight here.
    """

    reduce: int
    content: float
    style: float

    @property
    def name(self) -> str:
        """``full``, ``half``, ``quarter``, or the divisor."""
        return _LEVEL_NAMES.get(self.reduce, f"1_{self.reduce}")


@dataclass(frozen=True)
class SeenLevel:
    """Activations of VGG16 at one level, by layer: (B, C, H', W') each."""

    level: Level
    stylized: Activations
    content: Activations


@dataclass(frozen=True)
class Seen:
    """What the terms of one step look at.

    Attributes:
        stylized: the network's output, (B, 3, H, W); it may leave [0, 1].
        content: the photos, float RGB in [0, 1], (B, 3, H, W).
        levels: their activations at each level.
    """

    stylized: Tensor
    content: Tensor
    levels: tuple[SeenLevel, ...]


@dataclass(frozen=True)
class Value:
    """A term: the scalar that is weighted, and further scalars that are only logged."""

    total: Tensor
    parts: Mapping[str, Tensor]


class Term(nn.Module):
    """One term of the loss.

    Attributes:
        style_layers: of VGG16, whose activations of the stylized picture it reads.
        content_layers: of VGG16, read from the stylized picture and from the photo.
        follows_style: whether ``style.strength`` multiplies it.
    """

    style_layers: tuple[str, ...] = ()
    content_layers: tuple[str, ...] = ()
    follows_style: bool = False

    @property
    def is_free_of_style(self) -> bool:
        """Whether it can be computed without a style image."""
        return not self.style_layers and type(self).target is Term.target

    def target(self, style: Tensor, levels: Mapping[Level, Activations]) -> dict[str, Tensor]:
        """What the term compares with.

        Args:
            style: the style image, float RGB in [0, 1], (1, 3, H, W).
            levels: its activations at each level.
        """
        return {}

    def forward(self, seen: Seen, target: Mapping[str, Tensor]) -> Value:
        """The term, with what ``target`` returned for the style image."""
        raise NotImplementedError
