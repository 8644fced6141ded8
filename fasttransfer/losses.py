"""The perceptual losses: content, style, total variation, and their weighted sum.

Functions come first; ``PerceptualLoss`` puts them together. Two sets of settings use it:

* ``johnson``: the published objective of jcjohnson/fast-neural-style, on the 0–255 scale;
* ``balanced``: the same terms made dimensionless, so that one style weight suits every painting.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from .errors import FastTransferError
from .vgg import VGG16Features, layer_index

_LEAST_TONE = (4 / 255) ** 2
_DIRECTIONS, _SHARES = 12, 256  # in which colours are compared, and how finely

FeatureLoss = Callable[[Tensor, Tensor], Tensor]


def gram_matrix(features: Tensor) -> Tensor:
    """Channel correlations F Fᵀ / (H·W), whatever the size of the picture (Gatys et al. 2016).

    In float32 with autocast off: a half-precision sum over positions overflows.

    Args:
        features: (B, C, H, W).

    Returns:
        (B, C, C), float32 (float64 for float64 features).
    """
    gram: Tensor = _Gram.apply(features)
    return gram


class _Gram(torch.autograd.Function):
    """The gradient is written out because autograd does not know that both factors are the same, and
    takes two products in float32 and adds them. Here it is one, in bfloat16 where the features are, as
    their gradient has to be in any case."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        ctx.save_for_backward(features)
        with torch.autocast(features.device.type, enabled=False):
            flat = _wide(features).flatten(2)  # (B, C, H·W)
            return flat @ flat.mT / flat.shape[-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (features,) = ctx.saved_tensors
        with torch.autocast(features.device.type, enabled=False):
            # float16 has the range neither for the gradient nor for the sum.
            own = _wide(features) if features.dtype == torch.float16 else features
            flat = own.flatten(2).mT  # (B, H·W, C), as it lies in memory with channels last
            both = (gradient + gradient.mT) / flat.shape[1]
            found = (flat @ both.to(flat.dtype)).mT.unflatten(2, features.shape[2:])
            return found.to(features.dtype)


def squared_content_loss(stylized: Tensor, content: Tensor) -> Tensor:
    """Mean squared difference of two activations (B, C, H, W): a scalar ≥ 0 (Johnson et al. 2016,
    equation 2)."""
    return F.mse_loss(_wide(stylized), _wide(content))


def relative_content_loss(stylized: Tensor, content: Tensor) -> Tensor:
    """Mean squared difference of two activations (B, C, H, W) divided, photo by photo, by the
    variance of the photo's own activation over channels and positions: 0 for the photo itself,
    without a unit, comparable between layers, weights and photos."""
    difference = (_wide(stylized) - _wide(content)).square().mean(dim=(1, 2, 3))
    variance = _wide(content).var(dim=(1, 2, 3), correction=0)
    return (difference / variance.clamp_min(1e-6)).mean()


def squared_style_loss(gram: Tensor, style_gram: Tensor) -> Tensor:
    """Mean squared difference of G / C, as G / (C·H·W) is the normalisation of Johnson et al. 2016
    (equations 3 and 4, mean instead of sum as in jcjohnson/fast-neural-style).

    Args:
        gram: (B, C, C) of the stylized pictures, as ``gram_matrix`` returns them.
        style_gram: (1, C, C) of the style image.
    """
    return (gram - style_gram).square().mean() / gram.shape[-1] ** 2


def relative_style_loss(gram: Tensor, style_gram: Tensor, over_batch: bool) -> Tensor:
    """‖G − Gₛ‖² / (‖G‖² + ‖Gₛ‖²), Frobenius norms: 0 for equal Gram matrices and at most 1, since
    neither has negative entries. The denominator is held constant in the gradient, or the loss
    would fall by making G large.

    Args:
        gram: (B, C, C) of the stylized pictures.
        style_gram: (1, C, C) of the style image.
        over_batch: compare the mean Gram matrix of the batch instead of each picture's: a small
            crop has fewer positions at relu4_3 than channels.
    """
    if over_batch:
        gram = gram.mean(dim=0, keepdim=True)
    difference = (gram - style_gram).square().sum(dim=(1, 2))
    size = gram.detach().square().sum(dim=(1, 2)) + style_gram.square().sum(dim=(1, 2))
    return (difference / size.clamp_min(1e-12)).mean()


def total_variation(images: Tensor, scale: float) -> Tensor:
    """Half the sum of squared differences between neighbours, down and to the right, of images (B,
    3, H, W) in [0, 1] times ``scale``, averaged over the batch: the penalty of Mahendran & Vedaldi
    2015 (arXiv:1412.0035) with exponent 2. Its gradient is the one jcjohnson/fast-neural-style
    adds, there with scale 255 and summed over the batch."""
    images = _wide(images) * scale
    down = (images[..., 1:, :] - images[..., :-1, :]).square().sum()
    right = (images[..., :, 1:] - images[..., :, :-1]).square().sum()
    return (down + right) / (2 * len(images))


def mean_variation(images: Tensor) -> Tensor:
    """``total_variation`` of images (B, 3, H, W) in [0, 1] for each colour value, so that it does
    not grow with the picture."""
    return total_variation(images, scale=1) * len(images) / images.numel()


def out_of_range(images: Tensor) -> Tensor:
    """Mean squared distance of (B, C, H, W) to [0, 1]: 0 while every value is a colour."""
    images = _wide(images)
    return (images - images.clamp(0, 1)).square().mean()


def grid_pattern(images: Tensor, period: int, window: int) -> Tensor:
    """Mean square of the grid of ``period`` pixels that the blocks of a window have in common.

    Upsampling treats the pixels of a block differently, and what their means then differ by is seen
    as a grid (Odena et al. 2016), here stronger and there weaker; in photos and brush strokes the
    means over many blocks are nearly equal.

    Args:
        images: (B, 3, H, W); below ``2 * period - 1`` pixels a side nothing can be told.
        period: in pixels.
        window: side of the windows in pixels, a multiple of ``period``; less where a picture is less.

    Returns:
        A scalar: for each window and colour the variance over the places in a block of the mean
        over all blocks, averaged. 0 without a grid, also on a plane of any slope; for stripes or
        checks of amplitude a and period 2 it is a².
    """
    wide = _wide(images)
    window = min(window, (min(wide.shape[-2:]) - period + 1) // period * period)
    if window < period:
        return wide.new_zeros(())
    # Less the mean of its surroundings, or a slope would look like a grid.
    inner = slice(period // 2, -((period - 1) // 2) or None)
    fine = wide[..., inner, inner] - F.avg_pool2d(wide, period, stride=1)
    down, right = (side // window for side in fine.shape[-2:])
    blocks = fine[..., : down * window, : right * window].reshape(
        *images.shape[:2], down, window // period, period, right, window // period, period
    )
    means = blocks.mean(dim=(3, 6))  # (B, 3, down, period, right, period)
    return means.var(dim=(3, 5), correction=0).mean()


def fine_energy(images: Tensor) -> Tensor:
    """How much there is in images (B, 3, H, W) that changes from pixel to pixel: the mean squares of the
    fourth differences of neighbours, (1, -4, 6, -4, 1) / 16, to the right and down: (2,).

    Of stripes with a period of p pixels it sees the part sin⁴(π / p): 1 for 2 pixels, 0.82 for 2.5, 0.25
    for 4, 0.02 for 8. Below five pixels a side it is 0.
    """
    wide = _wide(images)
    if min(wide.shape[-2:]) < 5:
        return wide.new_zeros(2)
    right, down = (torch.diff(wide, n=4, dim=dim).square().mean() for dim in (-1, -2))
    return torch.stack([right, down]) / 256


def fine_excess(stylized: Tensor, style: Tensor) -> Tensor:
    """What is finer in pictures (B, 3, H, W) than anything in the style image.

    Checks and dots of two or three pixels change VGG16's activations as strokes do, and the longer a
    network is trained the more of them it finds. (Total variation would take strokes along with them.)

    Args:
        stylized: (B, 3, H, W).
        style: ``fine_energy`` of the style image, (2,).

    Returns:
        A scalar: (E − Eₛ) / (E + Eₛ), where E is larger, averaged over both directions. 0 up to the
        style image's own, 0.5 for three times that, at most 1; the denominator is held constant.
    """
    ours = fine_energy(stylized)
    return ((ours - style).relu() / (ours.detach() + style).clamp_min(1e-12)).mean()


def tone_difference(stylized: Tensor, content: Tensor, cell: int) -> Tensor:
    """How little the light and dark areas of a picture are those of its photo.

    A style term is content with every patch of a picture looking the same, and VGG16's activations
    say little of how bright a flat area is; so without this, sky and helmet come out as one blue.

    Args:
        stylized: (B, 3, H, W).
        content: the photos, (B, 3, H, W).
        cell: side in pixels of the cells whose mean brightness is compared; strokes within one are
            free.

    Returns:
        A scalar: 1 less the correlation over a photo's cells, averaged over the photos. 0 for any
        picture whose brightness is a rising linear function of the photo's, 1 for unrelated ones and
        2 for a negative. Photos without light and dark (below 4 of 255 levels) count little.
    """

    def deviations(images: Tensor) -> Tensor:
        brightness = _wide(images).mean(dim=1, keepdim=True)
        cells = F.avg_pool2d(brightness, min(cell, *images.shape[-2:])).flatten(1)
        return cells - cells.mean(dim=1, keepdim=True)

    ours, theirs = deviations(stylized), deviations(content)
    covariance = (ours * theirs).mean(dim=1)
    variances = ours.square().mean(dim=1) * theirs.square().mean(dim=1)
    # A square root has no gradient at 0, where a picture is all one grey.
    return (1 - covariance / (variances.clamp_min(1e-12).sqrt() + _LEAST_TONE)).mean()


def palette_difference(stylized: Tensor, palette: Tensor) -> Tensor:
    """How far the colours of a batch are from those of the style image, in all of their mixture: the
    sliced Wasserstein distance (Rabin et al. 2011; for textures, Heitz et al. 2021, arXiv:2006.07229).

    The Gram matrices ask for the right colours too, but through the products of activations, in which
    a network first finds the two or three that are most frequent.

    Args:
        stylized: (B, 3, H, W).
        palette: of the style image, see ``palette_of``.

    Returns:
        A scalar: the mean squared distance between the sorted colours along each of some directions,
        divided by the variance of the style's colours. 0 for the same palette, about 1 for a picture of
        one colour. Less than 4 of 255 levels of variety count as 4.
    """
    variance = palette.var(dim=1, correction=0).mean().clamp_min(_LEAST_TONE)
    return (palette_of(stylized) - palette).square().mean() / variance


def palette_of(images: Tensor) -> Tensor:
    """The colours of all images (B, 3, H, W) together, whatever their number and size: means over
    2×2 pixels, projected to each of some directions (K), sorted, in ``_SHARES`` groups of equal
    size: (K, _SHARES)."""
    cells = F.avg_pool2d(_wide(images), min(2, *images.shape[-2:]))
    colours = cells.permute(1, 0, 2, 3).flatten(1)  # (3, N)
    along = (directions(_DIRECTIONS).to(colours) @ colours).sort(dim=1).values
    return F.adaptive_avg_pool1d(along[None], _SHARES)[0]


def directions(number: int) -> Tensor:
    """Unit vectors (number, 3), evenly over half a sphere: a Fibonacci lattice."""
    place = torch.arange(number, dtype=torch.float64) + 0.5
    height = place / number
    angle = place * math.pi * (5**0.5 - 1)
    radius = (1 - height.square()).sqrt()
    return torch.stack([radius * angle.cos(), radius * angle.sin(), height], dim=1)


def _wide(values: Tensor) -> Tensor:
    """At least float32, in which sums over positions neither overflow nor lose their small terms."""
    return values if values.dtype == torch.float64 else values.float()


class PerceptualLoss(nn.Module):
    """Weighted sum of content, style, total variation, out-of-range, grid, fine, tone and palette terms.

    Args:
        features: the loss network.
        content_layer: where content is compared.
        style_layers: where Gram matrices are compared.
        content_loss: of two activations (B, C, H, W).
        style_loss: of the Gram matrices (B, C, C) and (1, C, C).
        variation_loss: of pictures (B, 3, H, W).
        average_layers: whether the style term is the mean over the layers or, as in Johnson et
            al. 2016, their sum.
        content_weight, style_weight, tv_weight: α, β, γ of the literature.
        range_weight: of the penalty for colours outside [0, 1], which the linear output needs.
        grid_weight: of the penalty for a grid.
        grid_period, grid_window: see ``grid_pattern``.
        fine_weight: of ``fine_excess``.
        tone_weight: of ``tone_difference``.
        tone_cell: see there.
        palette_weight: of ``palette_difference``.

    Raises:
        FastTransferError: a layer that does not exist, no style layer, or a number out of range.
    """

    def __init__(
        self,
        features: VGG16Features,
        content_layer: str,
        style_layers: Sequence[str],
        content_loss: FeatureLoss,
        style_loss: FeatureLoss,
        variation_loss: Callable[[Tensor], Tensor],
        average_layers: bool,
        content_weight: float,
        style_weight: float,
        tv_weight: float,
        range_weight: float,
        grid_weight: float,
        grid_period: int,
        grid_window: int,
        fine_weight: float,
        tone_weight: float,
        tone_cell: int,
        palette_weight: float,
    ) -> None:
        super().__init__()
        self.features = features
        for layer in (content_layer, *style_layers):
            layer_index(layer)  # a misspelt name is told now
        if not style_layers:
            raise FastTransferError("loss.style_layers is empty; give one layer or more.")
        self.content_layer = content_layer
        self.style_layers = list(style_layers)
        self.content_loss = content_loss
        self.style_loss = style_loss
        self.variation_loss = variation_loss
        self.average_layers = average_layers
        self.weights = {
            "content": content_weight,
            "style": style_weight,
            "tv": tv_weight,
            "range": range_weight,
            "grid": grid_weight,
            "fine": fine_weight,
            "tone": tone_weight,
            "palette": palette_weight,
        }
        for name, weight in self.weights.items():
            if not 0 <= weight < math.inf:
                raise FastTransferError(f"loss.{name}_weight={weight} must be a number from 0 on.")
        if not 1 <= grid_period <= grid_window or tone_cell < 1:
            raise FastTransferError(
                f"loss.grid_period={grid_period} must be from 1 to loss.grid_window={grid_window}, and "
                f"loss.tone_cell={tone_cell} 1 or more."
            )
        self.grid = partial(grid_pattern, period=grid_period, window=grid_window)
        self.tone = partial(tone_difference, cell=tone_cell)

    def set_style(self, style: Tensor) -> None:
        """Takes the style image, float RGB (1, 3, H, W) in [0, 1], for what is wanted; its strokes
        appear in the size that they have in this picture."""
        self.use(self.style_target(style))

    @torch.no_grad()
    def style_target(self, style: Tensor) -> dict[str, Tensor]:
        """What the terms compare with for a style image (1, 3, H, W) in [0, 1]: Gram matrices
        ``gram_LAYER``, ``palette`` and ``fine``. The means of two are a style between both."""
        activations = self.features(style, self.style_layers)
        grams = {f"gram_{layer}": gram_matrix(activations[layer]) for layer in self.style_layers}
        return grams | {"palette": palette_of(style), "fine": fine_energy(style)}

    def use(self, target: dict[str, Tensor]) -> None:
        """Compares with this ``style_target`` from here on."""
        for name, value in target.items():
            self.register_buffer(name, value, persistent=False)

    @torch.no_grad()
    def content_target(self, content: Tensor) -> Tensor:
        """What the content term compares with: (B, C, H', W') for photos (B, 3, H, W) in [0, 1]."""
        return self.features(content, [self.content_layer])[self.content_layer]

    def forward(
        self, stylized: Tensor, content: Tensor, target: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The terms and their weighted sum.

        Args:
            stylized: the network's output, (B, 3, H, W).
            content: the photos, float RGB in [0, 1], (B, 3, H, W).
            target: ``content_target`` of them, if it is known already.

        Returns:
            Scalars ``content``, ``style``, ``tv``, ``range``, ``grid``, ``fine``, ``tone`` and
            ``palette`` before weighting, ``style_LAYER`` for each layer, and ``total``.
        """
        if target is None:
            target = self.content_target(content)
        activations = self.features(stylized, [self.content_layer, *self.style_layers])
        by_layer = {
            f"style_{layer}": self.style_loss(
                gram_matrix(activations[layer]), self.get_buffer(f"gram_{layer}")
            )
            for layer in self.style_layers
        }
        style = torch.stack(list(by_layer.values())).sum()
        terms = {
            "content": self.content_loss(activations[self.content_layer], target),
            "style": style / len(by_layer) if self.average_layers else style,
            "tv": self.variation_loss(stylized),
            "range": out_of_range(stylized),
            "grid": self.grid(stylized),
            "fine": fine_excess(stylized, self.get_buffer("fine")),
            "tone": self.tone(stylized, content),
            "palette": palette_difference(stylized, self.get_buffer("palette")),
        }
        total = torch.stack([self.weights[name] * term for name, term in terms.items()]).sum()
        return terms | by_layer | {"total": total}
