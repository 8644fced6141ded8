"""Reduces flicker without training on video: a moved photo must give the moved picture.

Networks flicker because a little noise, or a movement by less than their stride, changes their
pattern. Still photos suffice to train against that. A photo is moved along a random smooth flow and
gets noise; the network's output for it is compared with its first output, moved along the same flow
(Eilertsen et al. 2019, "Single-frame Regularization for Temporally Stable CNNs", arXiv:1902.10424).

A change of brightness or contrast is not simulated: instance norm takes both away.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from ..core.errors import FastTransferError


def random_flow(
    height: int,
    width: int,
    bend: float,
    cell: float,
    shift: float,
    zoom: float,
    generator: Generator,
) -> Tensor:
    """A smooth random flow: bent, shifted and zoomed, each uniformly up to its limit.

    Args:
        height, width: of the picture in pixels.
        bend: local displacement in pixels at most, along x and along y, before interpolation.
        cell: pixels between two points where the local displacement is drawn; it is interpolated
            bicubically in between.
        shift: displacement of the whole in pixels at most, along x and along y.
        zoom: relative change of size at most, around the middle; 0.05 is 5 %.
        generator: of the random numbers; the flow is on its device.

    Returns:
        (2, height, width) in pixels, x first.
    """

    def even(*shape: int) -> Tensor:
        return 2 * torch.rand(shape, generator=generator, device=generator.device) - 1

    # At least 2 cells: the coarse corners lie on the corners of the picture.
    coarse = bend * even(1, 2, *(max(2, 1 + round(side / cell)) for side in (height, width)))
    local = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)[0]
    x, y = (
        torch.arange(side, device=generator.device) - (side - 1) / 2 for side in (width, height)
    )
    middle_out = torch.stack([x.expand(height, width), y[:, None].expand(height, width)])
    return local + shift * even(2, 1, 1) + zoom * even(1) * middle_out


def warp(images: Tensor, flow: Tensor) -> Tensor:
    """``images`` moved along ``flow``.

    Out(p) = images(p + flow(p)), interpolated bicubically, since a linear interpolation would teach
    the network to blur; beyond the edges they are reflected, as in the network.

    Args:
        images: (B, C, H, W).
        flow: (B, 2, H, W) in pixels, x first.

    Returns:
        (B, C, H, W); for a flow of whole pixels exactly the pixels of ``images``, up to the
        rounding of coordinates (none if H and W are powers of two).
    """
    height, width = images.shape[-2:]
    # grid_sample counts from -1 to 1 between the outer edges of the first and the last pixel.
    columns, rows = _places(flow)
    x = (2 * columns + 1 + 2 * flow[:, 0]) / width - 1
    y = (2 * rows + 1 + 2 * flow[:, 1]) / height - 1
    grid = torch.stack([x, y], dim=-1)
    return F.grid_sample(images, grid, "bicubic", padding_mode="reflection", align_corners=False)


def inside(flow: Tensor, margin: int) -> Tensor:
    """Marks pixels that lie, with the place they come from, ``margin`` pixels inside the picture.

    A mask (B, 1, H, W) for a flow (B, 2, H, W). Near the edges the network sees reflections, which
    do not move with the picture.
    """
    height, width = flow.shape[-2:]
    x, y = _places(flow)
    within = torch.ones_like(flow[:, 0], dtype=torch.bool)
    for place, side in (
        *((x, width), (y, height)),
        (x + flow[:, 0], width),
        (y + flow[:, 1], height),
    ):
        within = within & (place >= margin) & (place <= side - 1 - margin)
    return within[:, None]


def _places(flow: Tensor) -> tuple[Tensor, Tensor]:
    """Columns (W,) and rows (H, 1), made on the device of the flow (B, 2, H, W): none is sent there."""
    height, width = flow.shape[-2:]
    columns, rows = (
        torch.arange(side, device=flow.device, dtype=flow.dtype) for side in (width, height)
    )
    return columns, rows[:, None]


def temporal_loss(moved: Tensor, stylized: Tensor, flow: Tensor, margin: int) -> Tensor:
    """How much the picture of the moved photo differs from the moved picture.

    The mean absolute difference, a scalar ≥ 0 in the range of colors, over all photos: 0 for a
    network that moves its strokes with the picture.

    Args:
        moved: the network's output for the moved photos, (B, 3, H, W).
        stylized: the network's output for the photos, (B, 3, H, W).
        flow: along which the photos were moved, (B, 2, H, W).
        margin: pixels at the edges that do not count, see ``inside``.
    """
    mask = inside(flow, margin)
    difference = ((moved - warp(stylized, flow)).abs() * mask).sum(dim=(1, 2, 3))
    counted = mask.sum(dim=(1, 2, 3)) * moved.shape[1]
    return (difference / counted.clamp_min(1)).mean()


class TemporalLoss(nn.Module):
    """The temporal loss of a network over photos, with random flows.

    All randomness follows from the seed and the number of the crop alone, as in ``data``. So resumed
    runs and runs on several devices see the same flows.

    Args:
        weight: of the term in the loss.
        bend, cell, shift, zoom: of the flows, see ``random_flow``.
        noise: standard deviation of the noise in 8-bit levels, drawn evenly up to this.
        margin: part of a crop's side that does not count at each edge, below 0.5.
        seed: of the random numbers.
    """

    def __init__(
        self,
        weight: float,
        bend: float,
        cell: float,
        shift: float,
        zoom: float,
        noise: float,
        margin: float,
        seed: int,
    ) -> None:
        super().__init__()
        limits = {"weight": weight, "bend": bend, "shift": shift, "noise": noise}
        for name, value in limits.items():
            if not 0 <= value < float("inf"):
                raise FastTransferError(f"training.temporal.{name}={value} must be 0 or more.")
        if not 1 <= cell < float("inf"):
            raise FastTransferError(f"training.temporal.cell={cell} must be 1 or more pixels.")
        if not 0 <= zoom < 1:
            raise FastTransferError(f"training.temporal.zoom={zoom} must be from 0 to below 1.")
        if not 0 <= margin < 0.5:
            raise FastTransferError(
                f"training.temporal.margin={margin} must be from 0 to below 0.5."
            )
        self.weight = weight
        self.limits = {"bend": bend, "cell": cell, "shift": shift, "zoom": zoom}
        self.noise = noise / 255
        self.margin = margin
        self.seed = seed

    def forward(
        self, network: Callable[[Tensor], Tensor], content: Tensor, stylized: Tensor, first: int
    ) -> Tensor:
        """The term before weighting, a scalar.

        Args:
            network: is called once more, on the moved photos.
            content: photos (B, 3, H, W) in [0, 1].
            stylized: what the network made of them; its gradient is kept, so that both outputs
                approach each other.
            first: number of the first of these crops.
        """
        height, width = content.shape[-2:]
        flows, noises = [], []
        for number in range(first, first + len(content)):
            generator = self._generator(number, content.device)
            flows.append(random_flow(height, width, **self.limits, generator=generator))
            sigma = self.noise * torch.rand(1, generator=generator, device=content.device)
            shape = content.shape[1:]
            noises.append(sigma * torch.randn(shape, generator=generator, device=content.device))
        flow = torch.stack(flows)
        moved = (warp(content, flow) + torch.stack(noises)).clamp(0, 1)
        margin = round(self.margin * min(height, width))
        return temporal_loss(network(moved).float(), stylized.float(), flow, margin)

    def _generator(self, number: int, device: torch.device) -> Generator:
        mixed = np.random.SeedSequence((self.seed, 2, number)).generate_state(1, np.uint64)
        return Generator(device).manual_seed(int(mixed[0]))
