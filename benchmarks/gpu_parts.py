"""Crops, style values, the loss, and the optimizer of ``gpu_step.py``, all on the device."""

import itertools
import math
import multiprocessing
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from omegaconf import OmegaConf
from torch import Tensor, nn
from torch.nn import functional as F

from fasttransfer.core.assets import CONF_DIR
from fasttransfer.data.crops import RandomCrop
from fasttransfer.images.reading import open_rgb
from fasttransfer.losses import color
from fasttransfer.losses.content import relative_content_loss
from fasttransfer.losses.gram import gram_matrix
from fasttransfer.losses.regularizers import fine_energy, grid_pattern, out_of_range
from fasttransfer.models.transformer_net import InstanceNorm
from fasttransfer.models.vgg import VGG16Features
from fasttransfer.training.muon import orthogonal

CONTENT = "relu3_3"
STYLE = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
LEVELS = (1, 2, 4)
OTHER = ("range", "grid", "fine", "tone", "palette")
DIRECTIONS, SHARES = 12, 256  # of the palette
LEAST_VARIANCE = (4 / 255) ** 2
AVERAGED_PART = 0.05


@dataclass(frozen=True)
class Recipe:
    """Sizes of a training: crops in pixels, batches of styles and of bases."""

    crop: int = 384
    part: int = 192
    crops: int = 8_000
    batch: int = 2
    base_batch: int = 8
    style_size: int = 512
    lr: float = 4e-3
    most_steps: int = 3_000

    @classmethod
    def small(cls) -> "Recipe":
        """For a try on a CPU."""
        return cls(crop=96, part=48, crops=24, base_batch=4, style_size=128, most_steps=60)


def _fill(job: tuple[str, int, int, list[str], Recipe]) -> None:
    path, first, last, photos, recipe = job
    bank = np.lib.format.open_memmap(path, mode="r+")
    window = RandomCrop(recipe.crop, 384, 0.6, 1.6)
    for number in range(first, last):
        rng = np.random.default_rng((0, 1, number))
        photo = open_rgb(Path(photos[number % len(photos)]), max_pixels=10**8)
        bank[number] = np.asarray(window.crop(photo, rng))


def crop_bank(photos: Sequence[Path], recipe: Recipe, workers: int) -> Tensor:
    """Random crops as bytes, (crops, size, size, 3), read by ``workers`` processes."""
    order = np.random.default_rng((0, 0)).permutation(len(photos))
    shuffled = [str(photos[place]) for place in order]
    shape = (recipe.crops, recipe.crop, recipe.crop, 3)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "bank.npy")
        np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape).flush()
        edges = np.linspace(0, recipe.crops, 8 * workers + 1).astype(int).tolist()
        pairs = itertools.pairwise(edges)
        jobs = [(path, first, last, shuffled, recipe) for first, last in pairs]
        with multiprocessing.get_context("fork").Pool(workers) as pool:
            pool.map(_fill, jobs, chunksize=1)
        return torch.from_numpy(np.load(path))


_directions: dict[int, Tensor] = {}


def device_directions(device: torch.device) -> None:
    """The directions of the palette, made once and not in every step."""
    _directions[DIRECTIONS] = color.directions(DIRECTIONS).to(device, torch.float32)


def norm_of_each(self: InstanceNorm, features: Tensor) -> Tensor:
    """Instance norm with scales and shifts of the network, (C,), or of each picture, (B, C).

    A batch norm over B · C channels, which takes bfloat16 features and float32 scales in one
    kernel.
    """
    batch, channels = features.shape[:2]
    weight, bias = (value.expand(batch, channels).reshape(-1) for value in (self.weight, self.bias))
    flat = features.reshape(1, batch * channels, *features.shape[2:])
    normed = F.batch_norm(flat, None, None, weight, bias, training=True, momentum=0.0, eps=self.eps)
    return normed.view_as(features)


class StyleValues(nn.Module):
    """What the loss compares with for a style image, computed in float32."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.features = VGG16Features("bundled")

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.features.mean.device

    @torch.no_grad()
    def forward(self, style: Tensor) -> dict[str, Tensor]:
        """(1, 3, H, W) in [0, 1] to Gram matrices at each level, palette and fine energy."""
        found = {"palette": color.palette_of(style)[None], "fine": fine_energy(style)[None]}
        for level in LEVELS:
            activations = self.features(F.avg_pool2d(style, level), STYLE)
            found |= {f"{level}_{name}": gram_matrix(activations[name]) for name in STYLE}
        return found


class BatchLoss(nn.Module):
    """The balanced loss of a batch that has one style, or a style for each crop."""

    def __init__(self, over_batch: bool) -> None:
        super().__init__()
        self.features = VGG16Features("bundled")
        self.features.features.to(torch.bfloat16)
        self.over_batch = over_batch

    def _see(self, images: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        with torch.autocast(images.device.type, torch.bfloat16):
            found: dict[str, Tensor] = self.features(images, layers)
        return found

    def forward(
        self,
        stylized: Tensor,
        content: Tensor,
        place: tuple[Tensor, Tensor],
        target: dict[str, Tensor],
    ) -> tuple[Tensor, Tensor]:
        """Total and terms: style by level and layer, content by level, then ``OTHER``."""
        rows, columns = place
        stylized = stylized.float()
        ours = [stylized.index_select(2, rows).index_select(3, columns)]
        theirs = [content.index_select(2, rows).index_select(3, columns)]
        ours += [F.avg_pool2d(stylized, 2), F.avg_pool2d(stylized, 4)]
        theirs += [F.avg_pool2d(content, 2)]
        batch = len(stylized)
        with torch.no_grad():
            wanted = self._see(torch.cat(theirs), [CONTENT])[CONTENT]
        both = self._see(torch.cat(ours[:2]), [CONTENT, *STYLE])
        halves = (slice(batch), slice(batch, None))
        levels = [{name: value[at] for name, value in both.items()} for at in halves]
        levels.append(self._see(ours[2], STYLE))
        style = self._style(levels, target)
        contents = torch.stack(
            [
                relative_content_loss(levels[0][CONTENT], wanted[:batch]),
                relative_content_loss(levels[1][CONTENT], wanted[batch:]),
                style.new_zeros(()),
            ]
        )
        other = torch.stack(
            [
                out_of_range(stylized),
                grid_pattern(stylized, 4, 60),
                self._fine(stylized, target["fine"]),
                color.tone_difference(stylized, content, 8),
                self._palette(stylized, target["palette"]),
            ]
        )
        terms = torch.cat([style.flatten(), contents, other])
        return (weights(terms.device) * terms).sum(), terms

    def _style(self, levels: list[dict[str, Tensor]], target: dict[str, Tensor]) -> Tensor:
        grams, wanted = [], []
        for level, activations in zip(LEVELS, levels, strict=True):
            for name in STYLE:
                flat = activations[name].float().flatten(2)
                gram = (flat @ flat.mT / flat.shape[-1]).flatten(1)
                grams.append(gram.mean(0, keepdim=True) if self.over_batch else gram)
                wanted.append(target[f"{level}_{name}"].flatten(1))
        sizes = [gram.shape[1] for gram in grams]
        ours, theirs = torch.cat(grams, 1), torch.cat(wanted, 1)

        def sums(values: Tensor) -> Tensor:
            return torch.stack([part.sum(1) for part in torch.split(values.square(), sizes, 1)], 1)

        size = sums(ours.detach()) + sums(theirs)
        distances = sums(ours - theirs) / size.clamp_min(1e-12)
        return distances.mean(0).view(len(LEVELS), len(STYLE))

    def _fine(self, stylized: Tensor, wanted: Tensor) -> Tensor:
        squares = [
            torch.diff(stylized, n=4, dim=dim).square().mean(dim=(1, 2, 3)) for dim in (-1, -2)
        ]
        ours = torch.stack(squares, 1) / 256
        if self.over_batch:
            ours = ours.mean(0, keepdim=True)
        return ((ours - wanted).relu() / (ours.detach() + wanted).clamp_min(1e-12)).mean()

    def _palette(self, stylized: Tensor, wanted: Tensor) -> Tensor:
        cells = F.avg_pool2d(stylized, 4)
        along = torch.einsum("kc,bchw->bkhw", _directions[DIRECTIONS], cells).flatten(2)
        if self.over_batch:
            along = along.transpose(0, 1).flatten(1)[None]
        along = along.sort(dim=-1).values
        share = along.shape[-1] // SHARES
        ours = along[..., : share * SHARES].reshape(*along.shape[:-1], SHARES, share).mean(-1)
        variance = wanted.var(dim=2, correction=0).mean(1).clamp_min(LEAST_VARIANCE)
        return ((ours - wanted).square().mean(dim=(1, 2)) / variance).mean()


_weights: dict[torch.device, Tensor] = {}


def weights(device: torch.device) -> Tensor:
    """The weights of ``BatchLoss``'s terms, from ``conf/loss/balanced.yaml``."""
    if device not in _weights:
        loss = OmegaConf.load(CONF_DIR / "loss" / "balanced.yaml")
        levels = sorted(loss.levels, key=lambda level: level.reduce)
        style = [loss.style_weight * level.style / len(STYLE) for level in levels for _ in STYLE]
        content = [loss.content_weight * level.content for level in levels]
        other = [OmegaConf.select(loss, f"{name}_weight") for name in OTHER]
        _weights[device] = torch.tensor([*style, *content, *other], device=device)
    return _weights[device]


class DeviceMuon:
    """``fasttransfer.training.muon.Muon`` with one batch for all kernels, and nothing on the host."""

    def __init__(self, params: list[nn.Parameter], momentum: float) -> None:
        self.kernels: list[Tensor] = [p for p in params if p.ndim == 4 and len(p) > 3]
        self.others: list[Tensor] = [p for p in params if not (p.ndim == 4 and len(p) > 3)]
        self.momentum, self.betas, rms = momentum, (0.9, 0.99), 0.2
        device = params[0].device
        self.shapes = [(len(p), p[0].numel()) for p in self.kernels]
        self.tall = [rows > columns for rows, columns in self.shapes]
        big = (len(self.kernels), max(map(min, self.shapes)), max(map(max, self.shapes)))
        sizes = [rms * math.sqrt(max(shape)) for shape in self.shapes]
        self.sizes = torch.tensor(sizes, device=device).view(-1, 1, 1)
        self.padded = torch.zeros(big, device=device)
        self.slots = [self.padded[i, : min(s), : max(s)] for i, s in enumerate(self.shapes)]
        self.kernel_means = [torch.zeros_like(p) for p in self.kernels]
        self.means = [torch.zeros_like(p) for p in self.others]
        self.squares = [torch.zeros_like(p) for p in self.others]
        self.count = torch.zeros((), device=device)

    @torch.no_grad()
    def reset(self) -> None:
        """Forgets everything."""
        for value in (*self.kernel_means, *self.means, *self.squares, self.count):
            value.zero_()

    @torch.no_grad()
    def step(self, gradients: list[Tensor], lr: Tensor) -> None:
        """One step; the gradients of kernels come first."""
        of_kernels, of_others = gradients[: len(self.kernels)], gradients[len(self.kernels) :]
        torch._foreach_lerp_(self.kernel_means, of_kernels, 1 - self.momentum)
        ahead = torch._foreach_lerp(of_kernels, self.kernel_means, self.momentum)
        torch._foreach_copy_(self.slots, self._flat(ahead))
        moved = orthogonal(self.padded) * (self.sizes * lr)
        steps = [moved[i, : min(s), : max(s)] for i, s in enumerate(self.shapes)]
        torch._foreach_sub_(self._flat(self.kernels), steps)
        self.count += 1
        first, second = self.betas
        torch._foreach_lerp_(self.means, of_others, 1 - first)
        torch._foreach_mul_(self.squares, second)
        torch._foreach_addcmul_(self.squares, of_others, of_others, 1 - second)
        root = torch._foreach_div(self.squares, 1 - second**self.count)
        torch._foreach_sqrt_(root)
        torch._foreach_add_(root, 1e-8)
        step = torch._foreach_div(self.means, root)
        torch._foreach_mul_(step, lr / (1 - first**self.count))
        torch._foreach_sub_(self.others, list(step))

    def _flat(self, kernels: Sequence[Tensor]) -> list[Tensor]:
        pairs = zip(kernels, self.tall, strict=True)
        return [kernel.flatten(1).mT if tall else kernel.flatten(1) for kernel, tall in pairs]


def empty_targets(device: torch.device) -> dict[str, Tensor]:
    """Memory for the values of one style."""
    channels = dict(zip(STYLE, (64, 128, 256, 512), strict=True))
    grams = {
        f"{level}_{name}": torch.ones(1, count, count, device=device)
        for level in LEVELS
        for name, count in channels.items()
    }
    palette = torch.linspace(0, 1, SHARES, device=device).expand(1, DIRECTIONS, SHARES).clone()
    return grams | {"palette": palette, "fine": torch.ones(1, 2, device=device)}
