"""What ``ablations.yaml`` tries beyond fasttransfer: another norm, other crops, another loss.

Each takes the place of a class of the settings by its ``_target_``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from fasttransfer.data.crops import CropBatch
from fasttransfer.data.datamodule import ContentPhotos, photo_settings
from fasttransfer.losses.terms import Seen, Term, Value
from fasttransfer.models.style_file import find_style, load_style
from fasttransfer.models.transformer_net import (
    ConvNorm,
    InstanceNorm,
    TransformerNet,
    reflect_to_multiple,
)


class FilterResponseNet(TransformerNet):
    """``TransformerNet`` without instance norm and ReLU.

    Filter response norm and learned thresholds stand in their place (Singh & Krishnan 2020,
    arXiv:1911.09737).
    """

    def __init__(self, **shape: Any) -> None:
        super().__init__(**shape)
        for parent in [part for part in self.modules() if isinstance(part, nn.Sequential)]:
            for place, layer in enumerate(parent):
                if isinstance(layer, ConvNorm):
                    norm = layer[1]
                    assert isinstance(norm, InstanceNorm)
                    width = norm.num_features
                    layer[1] = FilterResponseNorm(width)
                elif isinstance(layer, nn.ReLU):
                    parent[place] = Threshold(width)


class DilatedNet(TransformerNet):
    """``TransformerNet`` whose residual blocks have kernels with gaps, as wide as ``dilations`` says.

    It sees more of a picture for the same multiply-adds (Yu & Koltun 2016, arXiv:1511.07122).
    """

    def __init__(self, dilations: Sequence[int], **shape: Any) -> None:
        super().__init__(**shape)
        for block, dilation in zip(self.residual, dilations, strict=True):
            for layer in (part for part in block.modules() if isinstance(part, nn.Conv2d)):
                layer.dilation = (dilation, dilation)
                layer._reversed_padding_repeated_twice = [dilation] * 4


class SkipNet(TransformerNet):
    """``TransformerNet`` with a path around its middle.

    The decoder adds what the encoder had at the same resolution (Ronneberger et al. 2015,
    arXiv:1505.04597).
    """

    def uncropped(self, content: Tensor) -> Tensor:
        """See ``TransformerNet``."""
        features = reflect_to_multiple(content, self.stride, self.smallest_side)
        had: list[Tensor] = []
        for layer in self.encoder:
            features = layer(features)
            if isinstance(layer, nn.ReLU):
                had.append(features)
        features = self.residual(features)
        had.pop()
        for layer in self.decoder:
            features = layer(features)
            if isinstance(layer, nn.ReLU):
                features = features + had.pop()
        return self.head(features)


class FilterResponseNorm(nn.Module):
    """Divides each channel by its root mean square over the picture, then scales and shifts it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, H, W)."""
        power = features.float().square().mean(dim=(2, 3), keepdim=True)
        return self.weight * (features * torch.rsqrt(power + 1e-6)) + self.bias


class Threshold(nn.Module):
    """The larger of each value and a bound that its channel learns, which begins as ReLU's."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bound = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, H, W)."""
        return torch.maximum(features, self.bound)


class GrowingCrops(ContentPhotos):
    """Crops of ``first`` pixels a side, then of ``last``.

    As many pixels in the whole run as with ``crop_size``.
    """

    def __init__(self, crop_size: int, first: int, last: int, **photos: Any) -> None:
        super().__init__(*photo_settings({**photos, "crop_size": last}))
        self.first = first
        self.first_part = (last**2 - crop_size**2) / (last**2 - first**2)

    def on_after_batch_transfer(self, batch: CropBatch, _: int) -> CropBatch:
        """(B, 3, last, last) to the size of this step."""
        assert self.trainer is not None
        small = self.trainer.global_step < self.first_part * self.trainer.max_steps
        return (
            batch._replace(crops=batch.crops[..., : self.first, : self.first]) if small else batch
        )


class FlatPatches(ContentPhotos):
    """Replaces some photos by a gradient between two colors with a little noise.

    Droplets appear in skies like these.
    """

    def __init__(self, part: float, **photos: Any) -> None:
        super().__init__(*photo_settings(photos))
        self.part = part

    def on_after_batch_transfer(self, batch: CropBatch, _: int) -> CropBatch:
        """(B, 3, H, W) to the same shape."""
        assert self.trainer is not None
        chance = torch.Generator().manual_seed(self.trainer.global_step)
        if torch.rand((), generator=chance) > self.part:
            return batch
        patches = torch.stack([self.patch(one, chance) for one in batch.crops])
        return batch._replace(crops=patches)

    @staticmethod
    def patch(photo: Tensor, chance: torch.Generator) -> Tensor:
        """A gradient as large as ``photo`` (3, H, W), in any direction."""
        down, right = (torch.linspace(-1, 1, side) for side in photo.shape[1:])
        direction = torch.rand(2, generator=chance) * 2 - 1
        place = (down[:, None] * direction[0] + right * direction[1] + 2) / 4  # within 0 and 1
        one, other = torch.rand(2, 3, 1, 1, generator=chance)
        noise = torch.randn(photo.shape, generator=chance) * 0.02
        return (one + (other - one) * place + noise).clamp(0, 1).to(photo)


class Distilled(Term):
    """Mean squared difference to the pictures of ``teacher``, a trained style, over their variance."""

    def __init__(self, teacher: str) -> None:
        super().__init__()
        self.teacher = load_style(find_style(teacher)).network.requires_grad_(False)

    def forward(self, seen: Seen, target: Mapping[str, Tensor]) -> Value:
        """0 for the teacher's own pictures."""
        with torch.no_grad():
            wanted = self.teacher(seen.content).float()
        difference = (seen.stylized.float() - wanted).square().mean()
        return Value(difference / wanted.var(correction=0), {})
