"""A network that takes and gives pictures as another program has them, and how far a file is from it."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ...core.assets import BUNDLED_PHOTOS
from ...core.errors import FastTransferError
from ...images.reading import read_picture
from ...images.tensors import resize_to
from ...models.transformer_net import TransformerNet
from .settings import Convention

Run = Callable[[np.ndarray], np.ndarray]  # a picture by the program that a file is for

_PROBE = BUNDLED_PHOTOS["bundled-probe"] / "coffee.jpg"
_MOST_PIXELS = 100_000_000
_FREE_SIZES = ((1, 240, 320), (2, 101, 75))  # pictures, height, width: of a network for any size
# The mean and the largest difference that a file may have from PyTorch in float32, in levels of 255.
# Those of the bundled styles: docs/programs.md.
LIMITS = {"float32": (0.02, 0.5), "float16": (1.0, 60.0), "int8": (15.0, 255.0)}
_ROUNDING = 0.5  # what bytes add to the largest


class Conventional(nn.Module):
    """A network that takes and gives what a convention says.

    Args:
        network: is copied.
        convention: of its pictures.
        dtype: what it computes in.
    """

    def __init__(
        self, network: TransformerNet, convention: Convention, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).cpu().eval().requires_grad_(False).to(dtype)
        self.convention = convention
        self.dtype = dtype
        self.eval()

    def forward(self, content: Tensor) -> Tensor:
        """A batch to the same; values stay in the range."""
        convention = self.convention
        photos = content.permute(0, 3, 1, 2) if convention.layout == "nhwc" else content
        height, width = photos.shape[-2:]
        # What would change nothing is left out, as some converters do not know it.
        if convention.is_bytes:
            photos = photos.float()
        if convention.range != 1:
            photos = photos / convention.range
        photos = self.padded(photos)
        if self.dtype == torch.float32:
            stylized = self.network.uncropped(photos)
        else:
            stylized = self.network.uncropped(photos.to(self.dtype)).float()
        for axis, side in ((2, height), (3, width)):
            if convention.size is None or stylized.shape[axis] != side:
                stylized = stylized.narrow(axis, 0, side)
        stylized = self.clamped(stylized)
        if convention.range != 1:
            stylized = stylized * convention.range
        if convention.is_bytes:
            stylized = stylized.round().to(torch.uint8)
        return stylized.permute(0, 2, 3, 1) if convention.layout == "nhwc" else stylized

    def padded(self, photos: Tensor) -> Tensor:
        """As large as the network wants them, or as they are: the network itself pads them then."""
        return photos

    def clamped(self, stylized: Tensor) -> Tensor:
        """Clamped to [0, 1]."""
        return stylized.clamp(0, 1)


@dataclass(frozen=True)
class Difference:
    """How far a file's pictures are from PyTorch's in float32, in levels of 255."""

    mean: float
    most: float

    def __str__(self) -> str:
        return (
            f"{self.mean:.1g} of 255 levels from PyTorch in the mean, and {self.most:.1g} at most"
        )


def difference(
    run: Run, network: TransformerNet, convention: Convention, precision: str
) -> Difference:
    """Runs an exported network on bundled photos and compares the results.

    Args:
        run: what executes the file.
        network: that was exported.
        convention: of the file.
        precision: what the file computes in, see ``LIMITS``.

    Raises:
        FastTransferError: the results differ more than that precision may.
    """
    sizes = ((1, *convention.size),) if convention.size else _FREE_SIZES
    found = []
    for batch, height, width in sizes:
        side = network.smallest_side if convention.size is None else 1
        content = sample(convention, batch, max(height, side), max(width, side))
        with torch.no_grad():
            expected = Conventional(network, convention)(content).float()
        given = run(content.numpy())
        if given.shape != tuple(expected.shape):
            raise FastTransferError(
                f"the exported network makes pictures {given.shape} instead of "
                f"{tuple(expected.shape)}, so nothing was written"
            )
        found.append((torch.from_numpy(given).float() - expected).abs() * 255 / convention.range)
    worst = Difference(max(float(d.mean()) for d in found), max(float(d.max()) for d in found))
    most_mean, most = LIMITS[precision]
    most += _ROUNDING if convention.is_bytes else 0
    # Not the other way round: what is not a number must not pass.
    if not (worst.mean <= most_mean and worst.most <= most):
        raise FastTransferError(
            f"the exported network is {worst}, which is more than {precision} explains, so nothing "
            "was written"
        )
    return worst


def zeros(convention: Convention, batch: int = 1, side: int = 1) -> Tensor:
    """A batch as an example of the input; where its size is free, ``side`` pixels high, 4 wider."""
    height, width = convention.size or (side, side + 4)
    return as_content(torch.zeros(batch, 3, height, width), convention)


def sample(convention: Convention, batch: int, height: int, width: int) -> Tensor:
    """A bundled photo, ``batch`` times, as the convention wants it."""
    photo = read_picture(_PROBE, max_pixels=_MOST_PIXELS).rgb
    return as_content(resize_to(photo, height, width)[None].repeat(batch, 1, 1, 1), convention)


def as_content(photos: Tensor, convention: Convention) -> Tensor:
    """Photos (B, 3, H, W) in [0, 1] as the convention wants them."""
    content = photos * convention.range
    if convention.is_bytes:
        content = content.round().to(torch.uint8)
    layout = (0, 2, 3, 1) if convention.layout == "nhwc" else (0, 1, 2, 3)
    return content.permute(layout).contiguous()
