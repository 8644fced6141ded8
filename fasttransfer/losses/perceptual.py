"""The perceptual loss: the weighted sum of the terms in the other modules.

Two sets of settings use it:

* ``johnson``: the published objective of jcjohnson/fast-neural-style, on the 0–255 scale;
* ``balanced``: the same terms made dimensionless, so that one style weight suits every painting.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from ..core.errors import FastTransferError
from ..models.vgg import VGG16Features, layer_index
from .color import (
    palette_difference,
    palette_of,
    tone_difference,
)
from .gram import gram_matrix
from .regularizers import (
    fine_energy,
    fine_excess,
    grid_pattern,
    out_of_range,
)

FeatureLoss = Callable[[Tensor, Tensor], Tensor]


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
