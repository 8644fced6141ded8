"""The image transformation network of Johnson et al. 2016.

See "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", arXiv:1603.08155, and its
supplementary material.

``TransformerNet`` is the name the field gave it; it has nothing to do with attention.
Departures from the paper: instance norm instead of batch norm (Ulyanov et al. 2016,
arXiv:1607.08022), upsampling and a convolution instead of a transposed one (Odena et al. 2016,
doi:10.23915/distill.00003), reflection padding in every layer, a linear
output instead of a scaled tanh, and, for speed, an optional pixel-unshuffled input and
pixel-shuffled output (Shi et al. 2016, arXiv:1609.05158).
"""

import hashlib
import itertools
import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FORMAT = 1  # of the computation: a new number where the same weights give other pictures
_RENEWED = 2.0  # so that a step moves a trained kernel half as far as a new one: docs/recipe.md


class TransformerNet(nn.Module):
    """Photo in, stylized photo out, in one pass.

    Args:
        channels: width at the (unshuffled) input resolution and after each stride-2 convolution;
            the last one is the width of the residual blocks.
        residual_blocks: how many of them, at the lowest resolution.
        kernel_size: of the first and the last convolution, odd.
        unshuffle: factor by which height and width are folded into channels before the first
            convolution and unfolded after the last; 1 is the paper's network.
        smooth: upsamples bilinearly instead of repeating pixels, which leaves stairs on every edge
            until a long training has removed them, and ends with a 3×3 convolution from RGB to RGB
            at full resolution, which starts as a binomial blur; it takes away the grid of
            ``unshuffle`` pixels that a shuffled output is prone to.
    """

    def __init__(
        self,
        channels: Sequence[int],
        residual_blocks: int,
        kernel_size: int,
        unshuffle: int,
        smooth: bool,
    ) -> None:
        super().__init__()
        if not channels or min(channels) < 1 or residual_blocks < 0 or unshuffle < 1:
            raise ValueError(
                f"TransformerNet needs positive channels and unshuffle and residual_blocks of 0 or "
                f"more, got channels={list(channels)}, residual_blocks={residual_blocks}, "
                f"unshuffle={unshuffle}"
            )
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd so that sizes are kept, got {kernel_size}")
        self.config: dict[str, Any] = {  # what a style file carries to build this network again
            "channels": list(channels),
            "residual_blocks": residual_blocks,
            "kernel_size": kernel_size,
            "unshuffle": unshuffle,
            "smooth": smooth,
        }
        folded = 3 * unshuffle**2
        self.stride = unshuffle * 2 ** (len(channels) - 1)
        # Reflection needs more pixels than it adds: kernel_size // 2 at the (unshuffled) input and
        # 1 in the residual blocks.
        smallest = max(unshuffle * (kernel_size // 2 + 1), 2 * self.stride)
        self.smallest_side = -(-smallest // self.stride) * self.stride

        down = list(itertools.pairwise(channels))
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(unshuffle),
            ConvNorm(folded, channels[0], kernel_size),
            nn.ReLU(),
            *(layer for i, o in down for layer in (ConvNorm(i, o, 3, stride=2), nn.ReLU())),
        )
        self.residual = nn.Sequential(
            *(ResidualBlock(channels[-1]) for _ in range(residual_blocks))
        )
        mode = "bilinear" if smooth else "nearest"
        upsample = partial(nn.Upsample, scale_factor=2, mode=mode)
        self.decoder = nn.Sequential(
            *(
                layer
                for i, o in reversed(down)
                for layer in (upsample(), ConvNorm(o, i, 3), nn.ReLU())
            ),
        )
        last = reflected_conv(channels[0], folded, kernel_size)
        if not last.weight.is_meta:  # dividing there imports PyTorch's compiler, which takes 2 s
            _start_flat(last, unshuffle)
        self.head = nn.Sequential(last, nn.PixelShuffle(unshuffle))
        if smooth:
            blur = reflected_conv(3, 3, 3)
            if not blur.weight.is_meta:
                _start_as_blur(blur)
            self.head.append(blur)

    def forward(self, content: Tensor) -> Tensor:
        """Stylizes a batch.

        Args:
            content: float RGB in [0, 1], (B, 3, H, W) of any height and width from 1 on.

        Returns:
            (B, 3, H, W) of the same height and width; the output is linear and may leave [0, 1].
        """
        height, width = content.shape[-2:]
        return self.uncropped(content)[..., :height, :width]

    def uncropped(self, content: Tensor) -> Tensor:
        """Like ``forward``, without the last cut.

        The result has what was added at the bottom and the right to make both sides multiples of
        ``stride``.
        """
        padded = reflect_to_multiple(content, self.stride, self.smallest_side)
        features = self.encoder(padded)  # (B, channels[-1], H / stride, W / stride)
        features = self.decoder(self.residual(features))  # (B, channels[0], H / u, W / u)
        return self.head(features)

    @torch.no_grad()
    def renew_scales(self) -> None:
        """Gives every kernel before a norm twice the size of a new one.

        Pictures stay the same, as the norm divides by it; but kernels grow while they are trained,
        and the larger they are, the less a step of training changes (van Laarhoven 2017,
        arXiv:1706.05350).
        """
        for layer in self.modules():
            if isinstance(layer, ConvNorm):
                kernel = layer.get_parameter("0.weight")
                size = kernel.square().mean().sqrt().clamp_min(1e-12)
                new = (3 * kernel[0].numel()) ** -0.5  # what PyTorch starts with
                kernel.mul_(_RENEWED * new / size)


class ConvNorm(nn.Sequential):
    """Reflection padding, convolution and instance norm; keeps or divides the size by ``stride``."""

    def __init__(self, inputs: int, outputs: int, kernel_size: int, stride: int = 1) -> None:
        # Instance norm subtracts the mean, so a bias before it would be dead weight.
        super().__init__(
            reflected_conv(inputs, outputs, kernel_size, stride, bias=False),
            InstanceNorm(outputs, affine=True),
        )


class InstanceNorm(nn.InstanceNorm2d):
    """Instance norm, fast on a CPU.

    Without gradients it takes plain steps there, which is several times faster than PyTorch's own,
    also in channels_last, for which that copies everything to and fro. PyTorch's group norm is as
    fast, but adds up one value after the other: of 4 megapixels its statistics were so far off that
    1.5 % of the pixels became another color. Graphs get PyTorch's own: others run it fast.

    For a single picture a step of training takes batch norm, which is the same there and spares
    copies of scales, shifts, and, with channels last, the picture.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, H, W)."""
        if torch.compiler.is_exporting():
            return super().forward(input)
        if torch.is_grad_enabled() and input.requires_grad:
            if len(input) > 1:
                return super().forward(input)
            return F.batch_norm(
                input, None, None, self.weight, self.bias, training=True, eps=self.eps
            )
        if input.device.type != "cpu":
            return super().forward(input)
        features = input.to(torch.promote_types(input.dtype, torch.float32))
        centered = features - features.mean(dim=(2, 3), keepdim=True)
        variance = centered.square().mean(dim=(2, 3), keepdim=True)
        scale = self.weight.view(1, -1, 1, 1) * torch.rsqrt(variance + self.eps)
        return torch.addcmul(self.bias.view(1, -1, 1, 1), centered, scale).to(input.dtype)


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions beside an identity, without ReLU after the sum (Gross & Wilber 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvNorm(channels, channels, 3), nn.ReLU(), ConvNorm(channels, channels, 3)
        )

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, H, W)."""
        return features + self.body(features)


def fingerprint(network: TransformerNet) -> str:
    """32 hexadecimal digits that depend on the network's shape and weights, and on ``FORMAT``."""
    digest = hashlib.sha256(json.dumps([FORMAT, network.config]).encode())
    for name, value in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]


def reflected_conv(
    inputs: int, outputs: int, kernel_size: int, stride: int = 1, bias: bool = True
) -> nn.Conv2d:
    """A convolution with reflection padding that keeps the size (or divides it by ``stride``)."""
    return nn.Conv2d(
        inputs,
        outputs,
        kernel_size,
        stride,
        padding=kernel_size // 2,
        padding_mode="reflect",
        bias=bias,
    )


def reflect_to_multiple(images: Tensor, multiple: int, at_least: int) -> Tensor:
    """Reflects images (B, C, H, W) until both sides are multiples of ``multiple``.

    They grow at the bottom and the right, and to ``at_least`` at least; a side of one pixel is
    repeated.

    In a graph for any size they must be ``at_least`` already.
    """
    height, width = images.shape[-2:]
    if any(not isinstance(side, int) for side in (height, width)):
        return F.pad(images, (0, -width % multiple, 0, -height % multiple), mode="reflect")
    for dim in (-2, -1):
        wanted = max(at_least, -(-images.shape[dim] // multiple) * multiple)
        while images.shape[dim] < wanted:  # one reflection can at most double a side
            side = images.shape[dim]
            extra = min(wanted - side, max(side - 1, 1))
            padding = (0, extra, 0, 0) if dim == -1 else (0, 0, 0, extra)
            images = F.pad(images, padding, mode="reflect" if side > 1 else "replicate")
    return images


def _start_flat(conv: nn.Conv2d, unshuffle: int) -> None:
    """ICNR (Aitken et al. 2017, arXiv:1707.02937).

    Every pixel of a shuffled block starts with the same kernel, so the untrained output is a
    nearest-neighbor picture without a grid. It starts at mid-gray and with little contrast, so that
    it lies in [0, 1].
    """
    block = unshuffle**2
    with torch.no_grad():
        conv.weight.copy_(conv.weight[::block].repeat_interleave(block, dim=0) / 4)
        conv.get_parameter("bias").fill_(0.5)


def _start_as_blur(conv: nn.Conv2d) -> None:
    """Starts with a blur of each color by itself.

    The binomial kernel (1 2 1)ᵀ(1 2 1) / 16 does not respond to patterns of period 2.
    """
    binomial = torch.tensor([1.0, 2.0, 1.0])
    with torch.no_grad():
        conv.weight.zero_()
        for color in range(3):
            conv.weight[color, color] = torch.outer(binomial, binomial) / 16
        conv.get_parameter("bias").zero_()
