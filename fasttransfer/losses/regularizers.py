"""Loss terms of the pixels alone: smoothness, range, grids, and detail that is too fine."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from ..core.errors import FastTransferError
from .precision import widened
from .terms import Activations, Level, Seen, Term, Value


def total_variation(images: Tensor, scale: float) -> Tensor:
    """Half the sum of squared differences between neighbors, averaged over the batch.

    Neighbors are down and to the right, in images (B, 3, H, W) in [0, 1] times ``scale``: the
    penalty of Mahendran & Vedaldi 2015 (arXiv:1412.0035) with exponent 2. Its gradient is the one
    jcjohnson/fast-neural-style adds, there with scale 255 and summed over the batch.
    """
    images = widened(images) * scale
    down = (images[..., 1:, :] - images[..., :-1, :]).square().sum()
    right = (images[..., :, 1:] - images[..., :, :-1]).square().sum()
    return (down + right) / (2 * len(images))


def mean_variation(images: Tensor) -> Tensor:
    """``total_variation`` for each color value, so that it does not grow with the picture.

    Images are (B, 3, H, W) in [0, 1].
    """
    return total_variation(images, scale=1) * len(images) / images.numel()


def out_of_range(images: Tensor) -> Tensor:
    """Mean squared distance of (B, C, H, W) to [0, 1]: 0 while every value is a color."""
    images = widened(images)
    return (images - images.clamp(0, 1)).square().mean()


def grid_pattern(images: Tensor, period: int, window: int) -> Tensor:
    """Mean square of the grid of ``period`` pixels that the blocks of a window have in common.

    Upsampling treats the pixels of a block differently, and the differences between their means
    show as a grid of varying strength (Odena et al. 2016). In photos and brush strokes the means
    over many blocks are nearly equal.

    Args:
        images: (B, 3, H, W); 0 if a side is below ``2 * period - 1`` pixels.
        period: in pixels.
        window: side of the windows in pixels, a multiple of ``period``; smaller in smaller pictures.

    Returns:
        A scalar: for each window and color the variance over the places in a block of the mean
        over all blocks, averaged. 0 without a grid, also on a plane of any slope; for stripes or
        checks of amplitude a and period 2 it is a².
    """
    wide = widened(images)
    window = min(window, (min(wide.shape[-2:]) - period + 1) // period * period)
    if window < period:
        return wide.new_zeros(())
    # Subtract the local mean, or a slope would look like a grid.
    inner = slice(period // 2, -((period - 1) // 2) or None)
    fine = wide[..., inner, inner] - F.avg_pool2d(wide, period, stride=1)
    down, right = (side // window for side in fine.shape[-2:])
    blocks = fine[..., : down * window, : right * window].reshape(
        *images.shape[:2], down, window // period, period, right, window // period, period
    )
    means = blocks.mean(dim=(3, 6))  # (B, 3, down, period, right, period)
    return means.var(dim=(3, 5), correction=0).mean()


def fine_energy(images: Tensor) -> Tensor:
    """Pixel-to-pixel detail of images (B, 3, H, W).

    The mean squares of the fourth differences of neighbors, (1, -4, 6, -4, 1) / 16, to the right
    and down: (2,).

    Stripes with a period of p pixels count with the factor sin⁴(π / p): 1 for 2 pixels, 0.82 for 2.5,
    0.25 for 4, 0.02 for 8. Pictures below five pixels a side give 0.
    """
    wide = widened(images)
    if min(wide.shape[-2:]) < 5:
        return wide.new_zeros(2)
    right, down = (torch.diff(wide, n=4, dim=dim).square().mean() for dim in (-1, -2))
    return torch.stack([right, down]) / 256


def fine_excess(stylized: Tensor, style: Tensor) -> Tensor:
    """Detail in pictures (B, 3, H, W) that is finer than the style image's.

    Checks and dots of two or three pixels change VGG16's activations as strokes do, and networks
    use more of them the longer they train. (Total variation would remove strokes, too.)

    Args:
        stylized: (B, 3, H, W).
        style: ``fine_energy`` of the style image, (2,).

    Returns:
        A scalar: (E − Eₛ) / (E + Eₛ), where E is larger, averaged over both directions. 0 up to the
        style image's own, 0.5 for three times that, at most 1. The denominator has no gradient.
    """
    ours = fine_energy(stylized)
    return ((ours - style).relu() / (ours.detach() + style).clamp_min(1e-12)).mean()


class VariationTerm(Term):
    """A smoothness of the stylized picture.

    Args:
        measure: of pictures (B, 3, H, W), a scalar: ``total_variation`` or ``mean_variation``.
    """

    def __init__(self, measure: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.measure = measure

    def forward(self, seen: Seen, target: Mapping[str, Tensor]) -> Value:
        """0 for a picture of one color."""
        return Value(self.measure(seen.stylized), {})


class RangeTerm(Term):
    """``out_of_range``, which the linear output of the network requires."""

    def forward(self, seen: Seen, target: Mapping[str, Tensor]) -> Value:
        """0 while every value is a color."""
        return Value(out_of_range(seen.stylized), {})


class GridTerm(Term):
    """``grid_pattern``.

    Args:
        period, window: period of the grid and side of the windows, in pixels.
    """

    def __init__(self, period: int, window: int) -> None:
        super().__init__()
        if not 1 <= period <= window:
            raise FastTransferError(
                f"loss.terms.grid.period={period} must be from 1 to loss.terms.grid.window={window}."
            )
        self.period = period
        self.window = window

    def forward(self, seen: Seen, target: Mapping[str, Tensor]) -> Value:
        """0 without a grid."""
        return Value(grid_pattern(seen.stylized, self.period, self.window), {})


class FineTerm(Term):
    """``fine_excess``."""

    def target(self, style: Tensor, levels: Mapping[Level, Activations]) -> dict[str, Tensor]:
        """See ``fine_energy``."""
        return {"fine": fine_energy(style)}

    def forward(self, seen: Seen, target: Mapping[str, Tensor]) -> Value:
        """0 for pictures that are no finer than the style image."""
        return Value(fine_excess(seen.stylized, target["fine"]), {})
