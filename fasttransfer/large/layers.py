"""The layers of a network one by one: how far they see, and where their norms are."""

from collections.abc import Iterator

from torch import nn

from ..models.transformer_net import ResidualBlock
from .moments import FrozenInstanceNorm


def reach(layers: nn.Module) -> int:
    """The receptive-field radius of ``layers``, in pixels of their input.

    A pixel of the output depends on no pixel farther away.
    """
    pixels, scale = 0.0, 1.0  # scale: pixels of the input to one of what the next layer reads
    for layer in _flat(layers):
        if isinstance(layer, nn.Conv2d):
            pixels += scale * (layer.kernel_size[0] // 2)
            scale *= layer.stride[0]
        elif isinstance(layer, nn.Upsample):
            pixels += scale  # bilinear: the next one
            scale /= 2
        elif isinstance(layer, nn.PixelUnshuffle):
            scale *= layer.downscale_factor
        elif isinstance(layer, nn.PixelShuffle):
            scale /= layer.upscale_factor
    return int(-(-pixels // 1))


def _flat(layers: nn.Module) -> Iterator[nn.Module]:
    """The single layers, in the order in which they are run."""
    if isinstance(layers, nn.Sequential):
        for layer in layers:
            yield from _flat(layer)
    elif isinstance(layers, ResidualBlock):
        yield from _flat(layers.body)
    else:
        yield layers


def up_to_norms(layers: nn.Module) -> list[tuple[nn.Sequential, FrozenInstanceNorm]]:
    """For each norm: all layers before it, and itself."""
    single = list(_flat(layers))
    return [
        (nn.Sequential(*single[:place]), layer)
        for place, layer in enumerate(single)
        if isinstance(layer, FrozenInstanceNorm)
    ]
