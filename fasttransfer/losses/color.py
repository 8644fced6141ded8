"""Terms for brightness and color: tone follows the photo, the palette follows the style image."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from ..core.errors import FastTransferError
from .precision import widened
from .terms import Activations, Level, Seen, Term, Value

LEAST_TONE = (4 / 255) ** 2
_DIRECTIONS, _SHARES = 12, 256  # directions to compare colors in, and groups along each


def tone_difference(stylized: Tensor, content: Tensor, cell: int) -> Tensor:
    """Measures how far the light and dark areas of a picture differ from its photo's.

    A style term accepts pictures whose patches all look the same, and VGG16's activations say little
    about the brightness of flat areas. Without this term, sky and helmet become the same blue.

    Args:
        stylized: (B, 3, H, W).
        content: the photos, (B, 3, H, W).
        cell: side in pixels of the cells whose mean brightness is compared; strokes within one
            do not count.

    Returns:
        A scalar: 1 less the correlation over a photo's cells, averaged over the photos. 0 for any
        picture whose brightness is a rising linear function of the photo's, 1 for unrelated ones and
        2 for a negative. Photos with little contrast (below 4 of 255 levels) count little.
    """

    def deviations(images: Tensor) -> Tensor:
        brightness = widened(images).mean(dim=1, keepdim=True)
        cells = F.avg_pool2d(brightness, min(cell, *images.shape[-2:])).flatten(1)
        return cells - cells.mean(dim=1, keepdim=True)

    ours, theirs = deviations(stylized), deviations(content)
    covariance = (ours * theirs).mean(dim=1)
    variances = ours.square().mean(dim=1) * theirs.square().mean(dim=1)
    # A square root has no gradient at 0, where a picture is a single gray.
    return (1 - covariance / (variances.clamp_min(1e-12).sqrt() + LEAST_TONE)).mean()


def palette_difference(stylized: Tensor, palette: Tensor, axes: Tensor | None = None) -> Tensor:
    """The distance between the color distributions of a batch and the style image.

    The sliced Wasserstein distance (Rabin et al. 2011; for textures, Heitz et al. 2021,
    arXiv:2006.07229).

    The Gram matrices require the right colors, too, but through products of activations; with those
    alone, networks first find the two or three most frequent colors.

    Args:
        stylized: (B, 3, H, W).
        palette: of the style image, see ``palette_of``.
        axes: those that it was made with.

    Returns:
        A scalar: the mean squared distance between the sorted colors along each of some directions,
        divided by the variance of the style's colors. 0 for the same palette, about 1 for a picture of
        one color. A deviation below 4 of 255 levels counts as 4.
    """
    variance = palette.var(dim=1, correction=0).mean().clamp_min(LEAST_TONE)
    return (palette_of(stylized, axes) - palette).square().mean() / variance


def palette_of(images: Tensor, axes: Tensor | None = None) -> Tensor:
    """The colors of all images (B, 3, H, W) together, whatever their number and size.

    Args:
        images: float RGB.
        axes: directions (K, 3) of colors on the device of the images; None makes them, which waits
            for the device.

    Returns:
        Means over 2×2 pixels, projected to each direction, sorted, in ``_SHARES`` groups of equal size:
        (K, _SHARES).
    """
    if axes is None:
        axes = axes_for(images)
    cells = F.avg_pool2d(widened(images), min(2, *images.shape[-2:]))
    colors = cells.permute(1, 0, 2, 3).flatten(1)  # (3, N)
    along = (axes.to(colors.dtype) @ colors).sort(dim=1).values
    return group_means(along, _SHARES)


def group_means(values: Tensor, groups: int) -> Tensor:
    """Means of ``groups`` equal parts of each row (K, N); where N is no multiple, they overlap.

    ``torch.nn.functional.adaptive_avg_pool1d`` of any size: Apple's MPS has it for multiples only.
    """
    size = values.shape[1]
    if size % groups == 0:
        return values.reshape(-1, groups, size // groups).mean(dim=2)
    numbers = torch.arange(groups, device=values.device)
    first, last = numbers * size // groups, ((numbers + 1) * size - 1) // groups
    places = first[:, None] + torch.arange(size // groups + 2, device=values.device)
    inside = places <= last[:, None]
    taken = values[:, places.clamp_max(size - 1)] * inside
    return taken.sum(dim=2) / inside.sum(dim=1)


def axes_for(images: Tensor) -> Tensor:
    """The directions of colors that palettes are compared in, (K, 3), on the device of ``images``."""
    return directions(_DIRECTIONS).to(widened(images).dtype).to(images.device)


def directions(number: int) -> Tensor:
    """Unit vectors (number, 3), spread evenly over a hemisphere: a Fibonacci lattice."""
    place = torch.arange(number, dtype=torch.float64) + 0.5
    height = place / number
    angle = place * math.pi * (5**0.5 - 1)
    radius = (1 - height.square()).sqrt()
    return torch.stack([radius * angle.cos(), radius * angle.sin(), height], dim=1)


class ToneTerm(Term):
    """``tone_difference``.

    Args:
        cell: side of its cells in pixels, 1 or more.
    """

    def __init__(self, cell: int) -> None:
        super().__init__()
        if cell < 1:
            raise FastTransferError(f"loss.terms.tone.cell={cell} must be 1 or more.")
        self.cell = cell

    def forward(self, seen: Seen, target: Mapping[str, Tensor]) -> Value:
        """0 for a picture as light and dark as its photo."""
        return Value(tone_difference(seen.stylized, seen.content, self.cell), {})


class PaletteTerm(Term):
    """``palette_difference``."""

    follows_style = True

    def target(self, style: Tensor, levels: Mapping[Level, Activations]) -> dict[str, Tensor]:
        """The palette, see ``palette_of``, and its directions."""
        axes = axes_for(style)
        return {"palette": palette_of(style, axes), "axes": axes}

    def forward(self, seen: Seen, target: Mapping[str, Tensor]) -> Value:
        """0 for the colors of the style image."""
        return Value(palette_difference(seen.stylized, target["palette"], target["axes"]), {})
