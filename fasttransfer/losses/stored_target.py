"""What a loss compares with for one style image, packed for a style file.

Gram matrices are most of it. They are symmetric, and have no negative entry, since they are products of
what a ReLU returns. So the half above the diagonal is enough, in units of both channels' roots, as
whole numbers of 4 or 8 bits. Style scores then differ by 0.3 % on average from those with the style
image itself, and by 0.7 % at most (``benchmarks/stored_targets.py``).
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from ..core.errors import FastTransferError
from ..models.vgg import LEAST_SIDE
from .perceptual import PerceptualLoss
from .style_target import StyleTarget

_ROWS, _UPPER = "rows", "upper"  # the two parts of a packed matrix
_MANY = 256  # channels from which on an entry has 4 bits instead of 8; fewer take little room
# Of the largest entry, what the largest whole number stands for. Where few entries are large, cutting
# them off makes all others more exact; the part with the least error is taken.
_PARTS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)


def pack(target: StyleTarget) -> dict[str, Tensor]:
    """The values of a target as small tensors on the CPU; see ``restored_target``."""
    packed: dict[str, Tensor] = {}
    for term in target.names:
        for name, value in target.of(term).items():
            own = value.detach().float().cpu()
            if own.ndim == 3 and own.shape[1] == own.shape[2]:
                gram = _packed_gram(own[0])
                packed |= {f"{term}.{name}.{part}": tensor for part, tensor in gram.items()}
            else:
                packed[f"{term}.{name}"] = own.contiguous()
    return packed


def restored_target(loss: PerceptualLoss, packed: Mapping[str, Tensor]) -> StyleTarget:
    """What ``loss.target`` would return for the style image behind ``packed``.

    On the device of the loss network.

    Raises:
        FastTransferError: values that this loss compares with are missing, of another shape, or not
            numbers. Nothing larger than eight times what ``packed`` holds is made before that is known.
    """
    device = loss.features.mean.device
    values = _unpacked(packed)
    # As from a style image, or from one that is too small for the coarse levels.
    for side in sorted({LEAST_SIDE * level.reduce for level in loss.levels}, reverse=True):
        like = loss.target(torch.zeros(1, 3, side, side, device=device))
        wanted = {term: like.of(term) for term in like.names}
        shapes = {f"{t}.{name}": value.shape for t in wanted for name, value in wanted[t].items()}
        if all(name in values and values[name].shape == shapes[name] for name in shapes):
            own = {
                term: {name: values[f"{term}.{name}"].to(device) for name in wanted[term]}
                for term in wanted
            }
            return StyleTarget(own, like.levels)
    raise FastTransferError(
        "it does not hold what scores compare with in a form that this fasttransfer knows"
    )


def _unpacked(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """By ``TERM.NAME``; what makes no sense is left out."""
    values: dict[str, Tensor] = {}
    for name, tensor in packed.items():
        stem, _, part = name.rpartition(".")
        if part == _ROWS and f"{stem}.{_UPPER}" in packed:
            value = _unpacked_gram(tensor, packed[f"{stem}.{_UPPER}"])
        else:
            value = tensor if tensor.dtype == torch.float32 else None
        if value is not None and bool(value.isfinite().all()):
            values[stem if part == _ROWS else name] = value
    return values


def _packed_gram(gram: Tensor) -> dict[str, Tensor]:
    """A Gram matrix (C, C) as ``rows`` (2, C), roots of the diagonal and units, and ``upper``."""
    most = torch.finfo(torch.float16).max
    roots = gram.diagonal().clamp_min(0).sqrt().clamp_max(most)
    apart = gram - torch.diag(gram.diagonal())
    largest = (apart / (roots[:, None] * roots).clamp_min(1e-12)).amax(dim=1)
    tries: list[tuple[float, int, dict[str, Tensor]]] = []
    for part in _PARTS:
        units = (roots * (part * largest).sqrt()).half()
        rows = torch.stack([roots.half(), units])
        above = _entries_above(apart / _products(units).clamp_min(1e-12))
        levels = (above.clamp(0, 1) * _most(len(gram))).round().to(torch.uint8)
        packed = {_ROWS: rows, _UPPER: _two_in_one(levels) if _is_large(len(gram)) else levels}
        again = _unpacked_gram(packed[_ROWS], packed[_UPPER])
        assert again is not None
        tries.append(((again[0] - gram).square().sum().item(), len(tries), packed))
    return min(tries)[2]


def _unpacked_gram(rows: Tensor, upper: Tensor) -> Tensor | None:
    """The Gram matrix (1, C, C); None if the two do not belong together."""
    if rows.dtype != torch.float16 or rows.ndim != 2 or len(rows) != 2 or not rows.shape[1]:
        return None
    channels = rows.shape[1]
    number = channels * (channels - 1) // 2
    size = (number + 1) // 2 if _is_large(channels) else number
    if upper.dtype != torch.uint8 or upper.shape != (size,):
        return None
    levels = torch.stack([upper & 15, upper >> 4], 1).flatten()[:number] if size < number else upper
    gram = torch.zeros(channels, channels)
    row, column = torch.triu_indices(channels, channels, offset=1)
    gram[row, column] = levels.float() / _most(channels)
    gram = (gram + gram.T) * _products(rows[1])
    return (gram + torch.diag(rows[0].float().square()))[None]


def _entries_above(matrix: Tensor) -> Tensor:
    row, column = torch.triu_indices(len(matrix), len(matrix), offset=1)
    return matrix[row, column]


def _products(units: Tensor) -> Tensor:
    return units.float()[:, None] * units.float()


def _two_in_one(levels: Tensor) -> Tensor:
    """Numbers below 16, two in each byte."""
    even = torch.cat([levels, levels.new_zeros(len(levels) % 2)])
    return even[::2] | even[1::2] << 4


def _is_large(channels: int) -> bool:
    return channels >= _MANY


def _most(channels: int) -> int:
    return 15 if _is_large(channels) else 255
