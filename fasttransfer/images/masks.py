"""Masks: gray pictures that say where a picture is stylized, and how much."""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageChops, ImageFilter, ImageOps
from torch import Tensor

from .decoding import open_image
from .regions import Region
from .tensors import to_tensor

# Three means over boxes are close to a Gaussian, and end exactly where their boxes do.
_PASSES = 3
_STRETCHED = 1.02  # from which ratio of its sides to the picture's a mask is said to be stretched


@dataclass(frozen=True, eq=False)
class Mask:
    """How much of a style each pixel of a picture gets, for a picture of any size.

    Attributes:
        layers: pictures of mode L and of any size, upright; white is the full style, black none of
            it. The mask is their product.
        feather: pixels of the picture, to either side of a border, over which it is softened. Farther
            away nothing changes: black stays 0 and white stays 1, exactly.
    """

    layers: tuple[Image.Image, ...]
    feather: int = 0

    def fitted(self, height: int, width: int) -> "Mask":
        """The same mask as one layer of this size, a byte a pixel; its borders are not yet softened."""
        size = (width, height)
        layer, *others = (
            one if one.size == size else one.resize(size, Image.Resampling.BICUBIC)
            for one in self.layers
        )
        for other in others:
            layer = ImageChops.multiply(layer, other)
        return Mask((layer,), self.feather)

    def at(self, height: int, width: int, region: Region | None = None) -> Tensor:
        """Weights of the style in [0, 1], (1, h, w), for a picture of ``height`` × ``width``.

        Args:
            height, width: of the picture.
            region: the part of it that is wanted, with the weights that it has in the whole; None:
                all of it. Of many parts, those of ``fitted`` are found faster.
        """
        wanted = Region(0, height, 0, width) if region is None else region
        outer = wanted.grown(self.feather, height, width)
        layer = self.fitted(height, width).layers[0]
        layer = layer.crop((outer.left, outer.top, outer.right, outer.bottom))
        for number in range(_PASSES):
            radius = (self.feather + number) // _PASSES
            if radius > 0:
                layer = layer.filter(ImageFilter.BoxBlur(radius))
        rows, columns = wanted.within(outer)
        return to_tensor(layer)[:, rows, columns].contiguous()

    def is_stretched_in(self, height: int, width: int) -> bool:
        """Whether one of its layers has other proportions than a picture of this size."""
        ratios = (layer.width * height / (layer.height * width) for layer in self.layers)
        return any(abs(math.log(ratio)) > math.log(_STRETCHED) for ratio in ratios)


@lru_cache(maxsize=2)
def lasting_weights(mask: Mask, height: int, width: int) -> Tensor:
    """``mask.at(height, width)``, kept for the next frame of a video."""
    return mask.at(height, width)


def gray(image: Image.Image) -> Image.Image:
    """A decoded picture (mode RGB or RGBA) as a layer: its brightness, black where transparent."""
    if image.mode == "RGBA":
        black = Image.new("RGBA", image.size, "black")
        image = Image.alpha_composite(black, image).convert("RGB")
    return image.convert("L")


def read_gray(path: Path, *, max_pixels: int) -> Image.Image:
    """A picture file as a layer of a mask: 1, 8 or 16 bits, gray, in colors, or with alpha.

    Raises:
        FastTransferError: missing, damaged, no picture, or too large.
    """
    return gray(open_image(path, max_pixels=max_pixels).image)


def gray_of(values: Tensor) -> Image.Image:
    """(1, H, W) or (H, W) in [0, 1] as a layer of a mask."""
    pixels = (values.detach().cpu().float().clamp(0, 1) * 255).round().to(torch.uint8)
    return Image.fromarray(np.ascontiguousarray(pixels.reshape(pixels.shape[-2:]).numpy()))


def inverted(layer: Image.Image) -> Image.Image:
    """White where it was black."""
    return ImageOps.invert(layer)
