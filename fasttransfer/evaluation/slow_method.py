"""The slow method: no network is trained, the pixels themselves are optimized.

It is from Gatys et al. 2016, "Image Style Transfer Using Convolutional Neural Networks" (CVPR,
doi:10.1109/CVPR.2016.265). It takes minutes per picture and gives the best that an objective can give:
the choice for one picture that matters, and the limit that trained networks are measured by.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ..core.errors import FastTransferError
from ..losses.perceptual import StyleObjective
from ..models.vgg import LEAST_SIDE
from .slow_settings import PixelSettings

_NOISE_SEED = 0  # the same photo gives the same picture
_FIRST_STEP = 0.03  # mean change of colors in [0, 1] along the first gradients of L-BFGS


def optimize(
    picture: Tensor, content: Tensor, objective: StyleObjective, settings: PixelSettings
) -> Iterator[tuple[Tensor, float]]:
    """Changes a picture until ``objective`` is low.

    Its colors are clamped to [0, 1] after each iteration, as in section 4.1 of Johnson et al. 2016: a
    picture file holds no others, and clamping only at the end would lose what they had gained.

    Args:
        picture: where to start, float RGB (1, 3, H, W); it is left as it is.
        content: the photo, (1, 3, H, W) in [0, 1].
        objective: of the style.
        settings: method, iterations, history, and learning rate are used.

    Yields:
        After each iteration the picture, in [0, 1], which goes on changing, and the loss before the
        iteration.

    Raises:
        FastTransferError: the loss is no longer finite.
    """
    picture = picture.clone(memory_format=torch.contiguous_format).requires_grad_(True)
    activations = objective.loss.content_activations(content)

    def loss() -> Tensor:
        return objective(picture, content, activations=activations)["total"]

    scale = 1.0 if settings.method == "adam" else _scale(loss(), picture)
    optimizer = _optimizer(picture, settings)

    def evaluate() -> float:
        optimizer.zero_grad()
        total = loss() * scale
        torch.autograd.backward(total)
        return total.item()

    for _ in range(settings.iterations):
        total = float(optimizer.step(evaluate)) / scale  # type: ignore[no-untyped-call, unused-ignore]
        if not math.isfinite(total):
            raise FastTransferError(
                "the loss is no longer a number; choose a smaller slow.lr, or other weights"
            )
        with torch.no_grad():
            picture.clamp_(0, 1)
        yield picture.detach(), total


def _optimizer(picture: Tensor, settings: PixelSettings) -> torch.optim.Optimizer:
    if settings.method == "adam":
        return torch.optim.Adam([picture], lr=settings.lr)
    return torch.optim.LBFGS(
        [picture],
        max_iter=1,  # one iteration a step, so that each can be looked at
        history_size=settings.history,
        tolerance_grad=0,
        tolerance_change=0,
    )


def _scale(loss: Tensor, picture: Tensor) -> float:
    """What makes the first step of L-BFGS a small change of colors.

    Until it knows a curvature, PyTorch's L-BFGS steps along the bare gradient. That of johnson's loss,
    in millions, would leave the range of colors at once and never come back.
    """
    (gradient,) = torch.autograd.grad(loss, picture)
    return _FIRST_STEP / (gradient.abs().mean().item() or 1)


def first_picture(start: str, content: Tensor) -> Tensor:
    """Where the slow method starts, a picture (B, 3, H, W).

    It is the ``photo`` itself, or white ``noise`` around gray of the same shape, always the same.
    """
    if start == "photo":
        return content.clone()
    generator = torch.Generator().manual_seed(_NOISE_SEED)
    noise = torch.randn(content.shape, generator=generator).to(content.device)
    return (0.5 + 0.1 * noise).clamp(0, 1)


def sizes(height: int, width: int, coarsest: int) -> list[int]:
    """Longer sides from coarse to fine, each about double the one before, ending at the picture's own.

    Strokes that are large in the picture are laid out while it is small (Gatys et al. 2017,
    arXiv:1611.07865).

    Raises:
        FastTransferError: the picture is too thin for VGG16.
    """
    shorter_side, longer_side = sorted((height, width))
    if shorter_side < LEAST_SIDE:
        raise FastTransferError(
            f"a picture of {width}×{height} pixels is too small for the slow method, which requires "
            f"{LEAST_SIDE} pixels a side"
        )
    coarsest = max(coarsest, math.ceil((LEAST_SIDE + 1) * longer_side / shorter_side))
    found = [longer_side]
    while found[0] / 2 >= coarsest:
        found.insert(0, round(found[0] / 2))
    return found
