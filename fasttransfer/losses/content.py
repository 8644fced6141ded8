"""The content terms: two ways to compare activations of the loss network."""

from torch import Tensor
from torch.nn import functional as F

from .precision import widened


def squared_content_loss(stylized: Tensor, content: Tensor) -> Tensor:
    """Mean squared difference of two activations (B, C, H, W): a scalar ≥ 0 (Johnson et al. 2016,
    equation 2)."""
    return F.mse_loss(widened(stylized), widened(content))


def relative_content_loss(stylized: Tensor, content: Tensor) -> Tensor:
    """Mean squared difference of two activations (B, C, H, W) divided, photo by photo, by the
    variance of the photo's own activation over channels and positions: 0 for the photo itself,
    without a unit, comparable between layers, weights and photos."""
    difference = (widened(stylized) - widened(content)).square().mean(dim=(1, 2, 3))
    variance = widened(content).var(dim=(1, 2, 3), correction=0)
    return (difference / variance.clamp_min(1e-6)).mean()
