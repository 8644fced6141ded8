"""The style term: Gram matrices and two ways to compare them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ..core.errors import FastTransferError
from ..models.vgg import layer_index
from .precision import widened
from .terms import FULL, Activations, Level, Seen, Term, Value

GramDistance = Callable[[Tensor, Tensor], Tensor]


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
    """A product of features with themselves, with its gradient written out.

    Autograd does not know that both factors are the same, and takes two products in float32 and
    adds them. Here it is one, in bfloat16 where the features are, as their gradient has to be in
    any case.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        ctx.save_for_backward(features)
        with torch.autocast(features.device.type, enabled=False):
            flat = widened(features).flatten(2)  # (B, C, H·W)
            return flat @ flat.mT / flat.shape[-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (features,) = ctx.saved_tensors
        with torch.autocast(features.device.type, enabled=False):
            # float16 has the range neither for the gradient nor for the sum.
            own = widened(features) if features.dtype == torch.float16 else features
            flat = own.flatten(2).mT  # (B, H·W, C), as it lies in memory with channels last
            both = (gradient + gradient.mT) / flat.shape[1]
            found = (flat @ both.to(flat.dtype)).mT.unflatten(2, features.shape[2:])
            return found.to(features.dtype)


def squared_style_loss(gram: Tensor, style_gram: Tensor) -> Tensor:
    """Mean squared difference of G / C.

    G / (C·H·W) is the normalization of Johnson et al. 2016 (equations 3 and 4, mean instead of sum
    as in jcjohnson/fast-neural-style).

    Args:
        gram: (B, C, C) of the stylized pictures, as ``gram_matrix`` returns them.
        style_gram: (1, C, C) of the style image.
    """
    return (gram - style_gram).square().mean() / gram.shape[-1] ** 2


def relative_style_loss(gram: Tensor, style_gram: Tensor, over_batch: bool) -> Tensor:
    """‖G − Gₛ‖² / (‖G‖² + ‖Gₛ‖²), Frobenius norms.

    0 for equal Gram matrices and at most 1, since neither has negative entries. The denominator is
    held constant in the gradient, or the loss would fall by making G large.

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


class StyleTerm(Term):
    """Distance of the Gram matrices to those of the style image, at every level and layer.

    Args:
        layers: of VGG16.
        distance: of Gram matrices (B, C, C) and (1, C, C), a scalar.
        average: whether the layers of a level are averaged or, as in Johnson et al. 2016, added up.

    Raises:
        FastTransferError: no layer, or one that does not exist.
    """

    follows_style = True

    def __init__(self, layers: Sequence[str], distance: GramDistance, average: bool) -> None:
        super().__init__()
        if not layers:
            raise FastTransferError("loss.terms.style.layers is empty; give one layer or more.")
        for layer in layers:
            layer_index(layer)
        self.style_layers = tuple(layers)
        self.distance = distance
        self.average = average

    @torch.no_grad()
    def target(self, style: Tensor, levels: Mapping[Level, Activations]) -> dict[str, Tensor]:
        """Gram matrices (1, C, C), by level and layer."""
        return {
            f"{level.name}_{layer}": gram_matrix(activations[layer])
            for level, activations in levels.items()
            for layer in self.style_layers
        }

    def forward(self, seen: Seen, target: Mapping[str, Tensor]) -> Value:
        """The sum over levels, and as parts each level's own and the layers at full size."""
        parts: dict[str, Tensor] = {}
        total = seen.stylized.new_zeros(())
        for each in seen.levels:
            level = each.level
            by_layer = {
                layer: self.distance(
                    gram_matrix(each.stylized[layer]), target[f"{level.name}_{layer}"]
                )
                for layer in self.style_layers
            }
            if level.reduce == FULL:
                parts |= by_layer
            own = torch.stack(list(by_layer.values())).sum()
            parts[level.name] = own / len(by_layer) if self.average else own
            total = total + level.style * parts[level.name]
        return Value(total, parts)
