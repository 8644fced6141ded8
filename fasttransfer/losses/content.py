"""The content term: two ways to compare activations of the loss network."""

from collections.abc import Callable, Mapping

from torch import Tensor
from torch.nn import functional as F

from ..models.vgg import layer_index
from .precision import widened
from .terms import Seen, Term, Value

FeatureDistance = Callable[[Tensor, Tensor], Tensor]


def squared_content_loss(stylized: Tensor, content: Tensor) -> Tensor:
    """Mean squared difference of two activations (B, C, H, W).

    A scalar ≥ 0 (Johnson et al. 2016, equation 2).
    """
    return F.mse_loss(widened(stylized), widened(content))


def relative_content_loss(stylized: Tensor, content: Tensor) -> Tensor:
    """Mean squared difference of two activations, relative to the variance of the photo's own.

    Activations are (B, C, H, W), the variance is over channels and positions of each photo. 0 for
    the photo itself, without a unit, comparable between layers, weights and photos.
    """
    difference = (widened(stylized) - widened(content)).square().mean(dim=(1, 2, 3))
    variance = widened(content).var(dim=(1, 2, 3), correction=0)
    return (difference / variance.clamp_min(1e-6)).mean()


class ContentTerm(Term):
    """Distance of the activations to those of the photo, at every level that has a share.

    Args:
        layer: of VGG16.
        distance: of two activations (B, C, H, W), a scalar.

    Raises:
        FastTransferError: no such layer.
    """

    def __init__(self, layer: str, distance: FeatureDistance) -> None:
        super().__init__()
        layer_index(layer)
        self.layer = layer
        self.content_layers = (layer,)
        self.distance = distance

    def forward(self, seen: Seen, target: Mapping[str, Tensor]) -> Value:
        """The sum over levels, and each level's own as parts."""
        parts = {
            each.level.name: self.distance(each.stylized[self.layer], each.content[self.layer])
            for each in seen.levels
            if each.level.content > 0
        }
        total = seen.stylized.new_zeros(())
        for each in seen.levels:
            if each.level.name in parts:
                total = total + each.level.content * parts[each.level.name]
        return Value(total, parts)
