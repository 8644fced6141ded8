"""The perceptual loss: a weighted sum of named terms, at full size and in reduced pictures.

Two sets of settings use it:

* ``johnson``: the published objective of jcjohnson/fast-neural-style, on the 0–255 scale;
* ``balanced``: dimensionless terms, so that one style weight suits every painting, at full, half and
  quarter size, so that shapes larger than a stroke are learned as well.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..core.errors import FastTransferError
from ..core.values import number, whole_number
from ..models.vgg import LEAST_SIDE, VGG16Features
from .precision import widened
from .style_target import StyleTarget
from .terms import FULL, Activations, Level, Seen, SeenLevel, Term, Value

_CORNERS = 5  # of the random number streams of a run: where the parts of crops are


@dataclass(frozen=True)
class StyleObjective:
    """A loss and the style it asks for: stylized pictures and photos in, terms out."""

    loss: "PerceptualLoss"
    target: StyleTarget

    def __call__(self, stylized: Tensor, content: Tensor, **known: Any) -> dict[str, Tensor]:
        """See ``PerceptualLoss.forward``."""
        terms: dict[str, Tensor] = self.loss(stylized, content, self.target, **known)
        return terms


class PerceptualLoss(nn.Module):
    """Weighted sum of named terms.

    Args:
        features: the loss network.
        levels: the sizes at which content and style are compared; full size is one of them.
        part: at full size VGG16 looks at a random square of this many pixels a side of each crop,
            which costs no more than the whole at half size; None for the whole.
        terms: by name.
        weights: ``NAME_weight`` of each term; ``content_weight``, ``style_weight``, and ``tv_weight``
            are α, β, and γ of the literature.

    Raises:
        FastTransferError: levels, weights, or a part that cannot be used.
    """

    def __init__(
        self,
        features: VGG16Features,
        levels: Sequence[Mapping[str, float]],
        part: int | None,
        terms: Mapping[str, Term],
        **weights: float,
    ) -> None:
        super().__init__()
        self.features = features
        self.levels = _checked_levels(levels)
        if part is not None and part < LEAST_SIDE:
            raise FastTransferError(
                f"loss.part={part} must be {LEAST_SIDE} pixels or more, or null."
            )
        self.part = part
        self.terms = nn.ModuleDict(terms)
        self.weights = _checked_weights(weights, list(terms))

    @property
    def style_layers(self) -> tuple[str, ...]:
        """The layers that are read from stylized pictures alone."""
        return tuple(dict.fromkeys(n for term in self._all() for n in term.style_layers))

    @property
    def content_layers(self) -> tuple[str, ...]:
        """The layers that are read from stylized pictures and photos."""
        return tuple(dict.fromkeys(n for term in self._all() for n in term.content_layers))

    def weighted(self, **weights: float) -> "PerceptualLoss":
        """The same loss with other weights, by the names of the terms."""
        changed = {f"{name}_weight": weight for name, weight in (self.weights | weights).items()}
        return PerceptualLoss(
            self.features,
            [vars(level) for level in self.levels],
            self.part,
            dict(self._named()),
            **changed,
        )

    @torch.no_grad()
    def target(self, style: Tensor, strength: float = 1.0) -> StyleTarget:
        """What the terms compare with for a style image (1, 3, H, W) in [0, 1].

        Strokes become as large as they are in this picture.
        """
        fitting = self._fitting(style)
        seen = self._activations(
            [_reduced(style, level.reduce) for level in fitting], self.style_layers
        )
        levels = dict(zip(fitting, seen, strict=True))
        values = {name: term.target(style, levels) for name, term in self._named()}
        return StyleTarget(values, fitting, strength)

    def for_style(self, style: Tensor, strength: float = 1.0) -> StyleObjective:
        """This loss for a style image (1, 3, H, W) in [0, 1]."""
        return StyleObjective(self, self.target(style, strength))

    @torch.no_grad()
    def content_activations(
        self, content: Tensor, corner: tuple[int, int] | None = None
    ) -> dict[Level, Activations]:
        """What the content term compares with in photos (B, 3, H, W), for each level with a share."""
        levels = [level for level in self._fitting(content) if level.content > 0]
        views = [self._view(content, level, corner) for level in levels]
        return dict(zip(levels, self._activations(views, self.content_layers), strict=True))

    def corner(self, images: Tensor, first_crop: int | None) -> tuple[int, int] | None:
        """Row and column of the part of crops (B, 3, H, W) that is looked at in full size.

        They follow from the number of the first crop; None if the part is all.
        """
        height, width = images.shape[-2:]
        if first_crop is None or self.part is None or min(height, width) <= self.part:
            return None
        rng = np.random.default_rng((_CORNERS, first_crop))
        row, column = rng.integers((height - self.part + 1, width - self.part + 1))
        return int(row), int(column)

    def forward(
        self,
        stylized: Tensor,
        content: Tensor,
        target: StyleTarget,
        first_crop: int | None = None,
        activations: Mapping[Level, Activations] | None = None,
    ) -> dict[str, Tensor]:
        """The terms and their weighted sum.

        Args:
            stylized: the network's output, (B, 3, H, W).
            content: the photos, float RGB in [0, 1], (B, 3, H, W).
            target: what ``target`` found for the style image.
            first_crop: number of the first crop in training, from which its part follows; None looks at
                the whole.
            activations: ``content_activations`` of the photos, if they are known.

        Returns:
            A scalar for each term before weighting, ``TERM_PART`` for its parts, such as
            ``style_half`` or ``style_relu4_3`` (at full size), and ``total``.
        """
        corner = self.corner(stylized, first_crop)
        if activations is None:
            activations = self.content_activations(content, corner)
        # Of a very small style image nothing is known at the coarse levels.
        levels = [level for level in self._fitting(stylized) if level in target.levels]
        layers = (*self.content_layers, *self.style_layers)
        own = self._activations([self._view(stylized, level, corner) for level in levels], layers)
        seen = _seen(stylized, content, dict(zip(levels, own, strict=True)), activations)
        found: dict[str, Tensor] = {}
        weighted = []
        for name, term in self._named():
            value = term(seen, target.of(name))
            weight = self.weights[name] * (target.strength if term.follows_style else 1)
            weighted.append(weight * value.total)
            found |= _named_parts(name, value)
        return found | {"total": torch.stack(weighted).sum()}

    @torch.no_grad()
    def without_style(self, stylized: Tensor, content: Tensor) -> dict[str, Tensor]:
        """The terms that need no style image; arguments and names as ``forward`` has them."""
        levels = self._fitting(stylized)
        views = [self._view(stylized, level, None) for level in levels]
        own = self._activations(views, self.content_layers)
        theirs = self.content_activations(content)
        seen = _seen(stylized, content, dict(zip(levels, own, strict=True)), theirs)
        found: dict[str, Tensor] = {}
        for name, term in self._named():
            if term.is_free_of_style:
                found |= _named_parts(name, term(seen, {}))
        return found

    def _named(self) -> list[tuple[str, Term]]:
        return [(name, term) for name, term in self.terms.items() if isinstance(term, Term)]

    def _all(self) -> list[Term]:
        return [term for _, term in self._named()]

    def _fitting(self, images: Tensor) -> list[Level]:
        """The levels at which VGG16's deepest layer still sees something."""
        side = min(images.shape[-2:])
        return [
            level
            for level in self.levels
            if level.reduce == FULL or side // level.reduce >= LEAST_SIDE
        ]

    def _view(self, images: Tensor, level: Level, corner: tuple[int, int] | None) -> Tensor:
        if level.reduce == FULL and corner is not None and self.part is not None:
            row, column = corner
            return images[..., row : row + self.part, column : column + self.part]
        return _reduced(images, level.reduce)

    def _activations(self, pictures: list[Tensor], layers: Sequence[str]) -> list[Activations]:
        """Pictures of one size go through VGG16 together."""
        if not layers or not pictures:
            return [{} for _ in pictures]
        groups: dict[torch.Size, list[int]] = {}
        for index, picture in enumerate(pictures):
            groups.setdefault(picture.shape, []).append(index)
        found: dict[int, Activations] = {}
        for places in groups.values():
            batch = torch.cat([pictures[index].contiguous() for index in places])
            activations = self.features(batch, layers)
            split = {name: value.chunk(len(places)) for name, value in activations.items()}
            for place, index in enumerate(places):
                found[index] = {name: chunks[place] for name, chunks in split.items()}
        return [found[index] for index in range(len(pictures))]


def _seen(
    stylized: Tensor,
    content: Tensor,
    own: Mapping[Level, Activations],
    theirs: Mapping[Level, Activations],
) -> Seen:
    levels = (SeenLevel(level, seen, theirs.get(level, {})) for level, seen in own.items())
    return Seen(stylized, content, tuple(levels))


def _named_parts(name: str, value: Value) -> dict[str, Tensor]:
    return {name: value.total} | {f"{name}_{part}": each for part, each in value.parts.items()}


def _reduced(images: Tensor, factor: int) -> Tensor:
    return images if factor == 1 else F.avg_pool2d(widened(images), factor)


def _checked_levels(levels: Sequence[Mapping[str, float]]) -> tuple[Level, ...]:
    found = tuple(map(_checked_level, levels))
    divisors = [level.reduce for level in found]
    if FULL not in divisors or len({*divisors}) < len(divisors):
        raise FastTransferError(
            f"loss.levels has the divisors {divisors}; give different whole numbers from 1 on, and 1."
        )
    return found


def _checked_level(level: Mapping[str, float]) -> Level:
    names = [field.name for field in fields(Level)]
    if not isinstance(level, Mapping) or {*level} != {*names}:
        raise FastTransferError(
            f"loss.levels has {level}; give each level {', '.join(names)}, such as "
            "{reduce: 2, content: 1, style: 1}."
        )
    shares = (number(f"loss.levels: {name}", level[name], least=0) for name in names[1:])
    return Level(whole_number("loss.levels: reduce", level["reduce"], least=1), *map(float, shares))


def _checked_weights(weights: Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
    if {*weights} != {f"{name}_weight" for name in names}:
        raise FastTransferError(
            f"The loss has the terms {', '.join(names)}, and weights {', '.join(weights)}; give each "
            "term its NAME_weight."
        )
    for name, weight in weights.items():
        if not isinstance(weight, int | float) or not 0 <= weight < math.inf:
            raise FastTransferError(f"loss.{name}={weight} must be a number from 0 on.")
    return {name: float(weights[f"{name}_weight"]) for name in names}
