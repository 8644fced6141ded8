"""A network in operations that every runtime has: slices, concatenations, and means.

Runtimes for phones have kernels for these, but compute reflection padding by indices, one pixel after
the other, and instance norm by a batch norm of their own, with copies before and after.
"""

import copy

import torch
from torch import Tensor, nn

from ...models.transformer_net import InstanceNorm, TransformerNet
from .conventional import Conventional
from .settings import Convention


class SlicedConv(nn.Conv2d):
    """A convolution whose reflection padding is made of slices."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', H / stride, W / stride)."""
        pad = self.kernel_size[0] // 2
        for axis in (2, 3):
            input = reflected(input, pad, axis)
        return nn.functional.conv2d(input, self.weight, self.bias, self.stride)


class MeanNorm(nn.Module):
    """Instance norm by means and elementwise operations."""

    scale: Tensor
    shift: Tensor

    def __init__(self, norm: InstanceNorm) -> None:
        super().__init__()
        self.register_buffer("scale", norm.weight.detach().reshape(1, -1, 1, 1))
        self.register_buffer("shift", norm.bias.detach().reshape(1, -1, 1, 1))
        self.eps = norm.eps

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        centered = input - input.mean((2, 3), keepdim=True)
        variance = (centered * centered).mean((2, 3), keepdim=True)
        return centered * torch.rsqrt(variance + self.eps) * self.scale + self.shift


def plain(network: TransformerNet) -> TransformerNet:
    """A copy that computes the same."""
    network = copy.deepcopy(network).cpu().eval().requires_grad_(False)
    for module in list(network.modules()):
        for name, part in list(module.named_children()):
            if isinstance(part, InstanceNorm):
                setattr(module, name, MeanNorm(part))
            elif isinstance(part, nn.Conv2d) and part.padding_mode == "reflect":
                part.__class__ = SlicedConv
    return network


def reflected(images: Tensor, pad: int, axis: int) -> Tensor:
    """Images with ``pad`` pixels added at both ends of an axis."""
    side = images.shape[axis]
    before = [images.narrow(axis, place, 1) for place in range(pad, 0, -1)]
    after = [images.narrow(axis, side - 2 - place, 1) for place in range(pad)]
    return torch.cat([*before, images, *after], axis)


class PlainConventional(Conventional):
    """``Conventional`` in these operations."""

    def __init__(self, network: TransformerNet, convention: Convention) -> None:
        super().__init__(plain(network), convention)

    def forward(self, content: Tensor) -> Tensor:
        """A batch to the same; values stay in the range."""
        return super().forward(content).contiguous()

    def padded(self, photos: Tensor) -> Tensor:
        """What ``reflect_to_multiple`` does, by slices."""
        stride, least = self.network.stride, self.network.smallest_side
        for axis in (2, 3):
            wanted = max(least, -(-photos.shape[axis] // stride) * stride)
            while (side := photos.shape[axis]) < wanted:
                extra = min(wanted - side, max(side - 1, 1))
                places = [max(side - 2 - place, 0) for place in range(extra)]
                added = [photos.narrow(axis, place, 1) for place in places]
                photos = torch.cat([photos, *added], axis)
        return photos
