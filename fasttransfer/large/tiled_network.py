"""Pictures larger than memory: a network in tiles, with the statistics of the whole picture.

A convolution sees a few pixels around each place, so a tile that is read with a *halo* as wide as
what the layers see comes out as in the whole picture once the halo is cut off. Instance norm sees
the whole picture. With its statistics known it is what batch norm is in evaluation, so here a network
is run with ``nn.BatchNorm2d`` in the place of every instance norm, and the statistics are found
before:

* ``exact``: layer by layer. Every tile goes through the layers before a norm, and the moments of
  its interior are merged in float64 (Chan, Golub & LeVeque 1979). Encoder and decoder are computed
  again for each of their few norms; the features between, at the lowest resolution, are kept on disk.
* ``thumbnail``: those of a reduced copy that fits into memory. Another picture, but a similar one.

Tiles begin at multiples of the network's stride, and every layer reflects by itself only what lies
at the picture's true borders, as a tile with its halo ends there too.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..images.regions import Region, grid
from ..models.transformer_net import ConvNorm, ResidualBlock, TransformerNet, reflect_to_multiple
from .layers import reach, up_to_norms
from .moments import FrozenInstanceNorm, Moments
from .planes import DamagedStateError, Journal, Plane

Write = Callable[[Region, Tensor], None]
Checksum = Callable[[Region], int]


class Photo:
    """A photo on disk as the network sees it.

    (1, 3, H, W) in [0, 1], with what ``TransformerNet`` adds at the bottom and the right.

    Args:
        plane: (H, W, 3 or more), bytes or already in [0, 1].
        network: decides how much is added.
    """

    def __init__(self, plane: Plane, network: TransformerNet) -> None:
        self._plane = plane
        stride, smallest = network.stride, network.smallest_side
        self._rows, self._columns = (
            reflect_to_multiple(torch.arange(side).double().view(1, 1, -1, 1), stride, smallest)
            .long()[0, 0, :, 0]
            .numpy()
            for side in plane.shape[:2]
        )
        self.height, self.width = len(self._rows), len(self._columns)

    def read(self, region: Region) -> Tensor:
        """At ``region`` of the enlarged photo."""
        rows = self._rows[region.top : region.bottom]
        columns = self._columns[region.left : region.right]
        there = Region(rows.min(), rows.max() + 1, columns.min(), columns.max() + 1)
        pixels = self._plane.read(there)[rows - there.top][:, columns - there.left, :3]
        values = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]
        return values.float() / 255 if values.dtype == torch.uint8 else values


@dataclass(frozen=True)
class _Pass:
    """One way over all tiles.

    ``layers`` of the planes named ``sources``; the result goes to the plane ``target`` and its
    moments to ``norm``, where there is one.
    """

    sources: tuple[str, ...]
    layers: nn.Module
    norm: FrozenInstanceNorm | None = None
    target: str | None = None


class _Sum(nn.Module):
    """The end of a residual block: what went past it and what came out of it."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, past: Tensor, features: Tensor) -> Tensor:
        return past + self.norm(features)


class TiledNetwork:
    """A network that stylizes one photo on disk, tile by tile.

    Args:
        network: is copied.
        plane: the photo, see ``Photo``.
        scratch: a folder for what is kept between tiles. What was interrupted goes on where it was
            if it finds its own folder again, and ends with the same result.
        exact: finds the statistics of the whole picture in ``run``; else ``measure`` has to.
        device: what computes.
        tile: side of a tile in pixels, without its halo; rounded up to a multiple of the stride.
        bfloat16: computes convolutions in it (statistics stay in float64).
    """

    def __init__(
        self,
        network: TransformerNet,
        plane: Plane,
        scratch: Path,
        *,
        exact: bool,
        device: torch.device,
        tile: int,
        bfloat16: bool = False,
    ) -> None:
        self._original = network
        self._network = _with_known_norms(network).to(device).to(memory_format=torch.channels_last)
        self._weight = self._network.get_parameter("head.0.weight")  # has the device and the dtype
        self._photo = Photo(plane, network)
        self._scratch = scratch
        self._bfloat16 = bfloat16
        self._stride = network.stride
        self._height = self._photo.height // network.stride
        self._width = self._photo.width // network.stride
        self._regions = grid(self._height, self._width, -(-tile // network.stride))
        self._passes = self._exact_passes() if exact else self._single_pass()
        self._kind = "exact" if exact else "thumbnail"  # another run may choose the other one
        self.steps = len(self._regions) * len(self._passes)

    @torch.inference_mode()
    def measure(self, photo: Tensor) -> None:
        """Takes the statistics of (1, 3, H, W), a reduced copy, for the whole picture's."""
        found: list[Moments] = []
        hooks = [
            norm.register_forward_pre_hook(lambda _, inputs: found.append(Moments.of(inputs[0])))
            for norm in self._original.modules()
            if isinstance(norm, nn.InstanceNorm2d)
        ]
        try:
            self._original(photo.to(self._original.get_parameter("head.0.weight")))
        finally:
            for hook in hooks:
                hook.remove()
        known = [
            module for module in self._network.modules() if isinstance(module, FrozenInstanceNorm)
        ]
        for norm, moments in zip(known, found, strict=True):
            norm.set(moments)

    @torch.inference_mode()
    def run(
        self,
        write: Write,
        step: Callable[[], object],
        checksum: Checksum = lambda region: 0,
    ) -> None:
        """Stylizes the photo.

        Args:
            write: is given each region of the photo with its pixels (3, h, w), linear, on the CPU;
                at the bottom and the right, regions may reach beyond the photo.
            step: is called after each of ``steps`` tiles, over all passes.
            checksum: of what ``write`` has stored at a region. What interrupted work left must have
                the one that was noted.

        Raises:
            DamagedStateError: of interrupted work, not everything is there as it was.
        """
        self._check_kept(checksum)
        for number, one in enumerate(self._passes):
            resumed = self._journal_path(number).exists()
            if one.target not in (None, "output"):
                self._plane(one.target, kept=resumed)
            journal = self._journal(number)
            for row, region in enumerate(self._regions):
                if journal.get(row) is None:
                    # What this pass reads may be overwritten by now.
                    if self._journal_path(number + 1).exists():
                        raise DamagedStateError(f"pass {number} lacks tile {row}")
                    moments = self._do(one, region, write)
                    stored = self._stored(one, region, checksum)
                    journal.set(row, np.append(moments, stored))
                step()
            if one.norm:
                rows = (Moments.from_row(journal[row][:-1]) for row in range(len(self._regions)))
                one.norm.set(reduce(Moments.merged, rows))

    def _do(self, one: _Pass, region: Region, write: Write) -> np.ndarray:
        """One tile of a pass; returns its moments, if a norm waits for them."""
        features = self._computed(one, region)
        if one.target == "output":
            write(region.scaled(self._stride), features[0].cpu())
        elif one.target:
            self._plane(one.target).write(region, features[0].permute(1, 2, 0).cpu().numpy())
        return Moments.of(features).to_row() if one.norm else np.ones(1)

    def _stored(self, one: _Pass, region: Region, checksum: Checksum) -> int:
        """The checksum of what a pass has stored of a tile."""
        if one.target is None:
            return 0
        if one.target == "output":
            return checksum(region.scaled(self._stride))
        return self._plane(one.target).checksum(region)

    def _check_kept(self, checksum: Checksum) -> None:
        """Raises DamagedStateError unless each array holds what its last pass has stored in it."""
        last: dict[str | None, int] = {}
        for number, one in enumerate(self._passes):
            if self._journal_path(number).exists():
                last[one.target] = number
        for number in last.values():
            one, journal = self._passes[number], self._journal(number)
            for row, region in enumerate(self._regions):
                noted = journal.get(row)
                if noted is not None and noted[-1] != self._stored(one, region, checksum):
                    raise DamagedStateError(f"tile {row} of {one.target} has other pixels")

    def _journal_path(self, number: int) -> Path:
        return self._scratch / f"{self._kind}-{number:02}.journal"

    def _journal(self, number: int) -> Journal:
        """What is known of the tiles of a pass: moments, and the checksum of what is stored."""
        norm = self._passes[number].norm
        columns = 2 + 2 * norm.num_features if norm else 2
        return Journal(self._journal_path(number), len(self._regions), columns)

    def _computed(self, one: _Pass, region: Region) -> Tensor:
        """The pass's layers at a region of cells: read with a halo, which is cut off again."""
        scale = self._stride if one.sources == ("photo",) else 1
        halo = -(-reach(one.layers) // scale)
        outer = region.grown(halo, self._height, self._width)
        inputs = [self._read(name, outer) for name in one.sources]
        with torch.autocast(self._weight.device.type, torch.bfloat16, enabled=self._bfloat16):
            features = one.layers(*inputs).to(self._weight.dtype)
        finer = features.shape[-2] // (outer.bottom - outer.top)
        rows, columns = region.scaled(finer).within(outer.scaled(finer))
        return features[..., rows, columns]

    def _read(self, name: str, region: Region) -> Tensor:
        if name == "photo":
            values = self._photo.read(region.scaled(self._stride)).to(self._weight)
        else:
            stored = self._plane(name).read(region).transpose(2, 0, 1)
            values = torch.from_numpy(stored)[None].to(self._weight.device)
        return values.contiguous(memory_format=torch.channels_last)

    def _plane(self, name: str, kept: bool = True) -> Plane:
        """Features at the lowest resolution."""
        shape = (self._height, self._width, self._original.config["channels"][-1])
        dtype = str(self._weight.dtype).removeprefix("torch.")
        return Plane(self._scratch / f"{name}.plane", shape, dtype, kept)

    def _single_pass(self) -> list[_Pass]:
        network = self._network
        whole = nn.Sequential(network.encoder, network.residual, network.decoder, network.head)
        return [_Pass(("photo",), whole, target="output")]

    def _exact_passes(self) -> list[_Pass]:
        """In their order; the features between encoder and decoder lie in three planes."""
        here, there, raw = "0", "1", "2"
        *norms, (layers, last) = up_to_norms(self._network.encoder)
        passes = [_Pass(("photo",), before, norm) for before, norm in norms]
        passes.append(_Pass(("photo",), layers, last, raw))
        passes.append(_Pass((raw,), nn.Sequential(last, nn.ReLU()), target=here))
        for block in self._network.residual.children():
            assert isinstance(block, ResidualBlock)
            (first, first_norm), (both, second_norm) = up_to_norms(block.body)
            passes.append(_Pass((here,), first, first_norm, there))
            passes.append(_Pass((there,), both[len(first) :], second_norm, raw))
            passes.append(_Pass((here, raw), _Sum(second_norm), target=there))
            here, there = there, here
        decoder, head = self._network.decoder, self._network.head
        passes += [_Pass((here,), before, norm) for before, norm in up_to_norms(decoder)]
        return [*passes, _Pass((here,), nn.Sequential(decoder, head), target="output")]


def scratch_bytes(network: TransformerNet, height: int, width: int) -> int:
    """What ``exact`` needs on disk beside photo and result, in float32."""
    cells = -(-height // network.stride) * -(-width // network.stride)
    return 3 * 4 * network.config["channels"][-1] * cells


def _with_known_norms(network: TransformerNet) -> TransformerNet:
    twin = copy.deepcopy(network).eval().requires_grad_(False)
    for part in [module for module in twin.modules() if isinstance(module, ConvNorm)]:
        _, norm = part
        assert isinstance(norm, nn.InstanceNorm2d)
        part[1] = FrozenInstanceNorm(norm)
    return twin
