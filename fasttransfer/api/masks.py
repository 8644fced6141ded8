"""Masks as people have them: a path, a PIL image, an array, a tensor, or several of these."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..core.errors import FastTransferError
from ..core.paths import expand_user
from ..images.decoding.srgb import standardize
from ..images.masks import Mask, gray, gray_of, inverted, read_gray
from ..images.tensors import to_pil
from ..stylizing.person import PersonModel, find_person_model
from ..stylizing.settings import ALPHA, PERSON, MaskSettings

Layer = Image.Image  # mode L

MAX_PIXELS = 200_000_000  # of a file, as in conf/infer
WANTED = (
    "give a path, 'alpha', 'person', a PIL image, an array or tensor (H, W) of uint8, bool, or floats "
    "in [0, 1], or as many of these as there are pictures"
)


@dataclass(frozen=True)
class Part:
    """One factor of a mask.

    Attributes:
        layers: one for all pictures, or one for each; None: each picture's alpha, or what ``model``
            finds in it.
        each: whether they are one for each.
        invert: whether white and black are exchanged.
    """

    layers: tuple[Layer, ...] | None
    each: bool = False
    invert: bool = False
    model: PersonModel | None = None

    def of(self, number: int, count: int, rgb: Tensor, alpha: Tensor | None) -> Layer:
        """The layer of one of ``count`` pictures (3, H, W), whose alpha is (1, H, W)."""
        if self.model is not None:
            layer = self.model(to_pil(rgb))
        elif self.layers is None:
            if alpha is None:
                raise FastTransferError(
                    "mask='alpha' is for pictures that have alpha: a path, a PIL image, or an array "
                    "(H, W, 4)."
                )
            layer = gray_of(alpha)
        else:
            layers = self.one(number, count).layers
            assert layers is not None
            layer = layers[0]
        return inverted(layer) if self.invert else layer

    def one(self, number: int, count: int) -> Part:
        """What one of ``count`` pictures has of it, for that picture or for all of its frames."""
        if self.layers is None or not self.each:
            return self
        if len(self.layers) != count:
            raise FastTransferError(
                f"There are {len(self.layers)} masks for {count} pictures; give one for all, or one "
                "for each."
            )
        return replace(self, layers=(self.layers[number],), each=False)


@dataclass(frozen=True)
class Masking:
    """The masks of the pictures of one call; without parts, there are none."""

    parts: tuple[Part, ...]
    feather: int

    def of(self, number: int, count: int, rgb: Tensor, alpha: Tensor | None) -> Mask | None:
        """The mask of one of ``count`` pictures.

        Raises:
            FastTransferError: not as many masks as pictures, or no alpha.
        """
        layers = tuple(part.of(number, count, rgb, alpha) for part in self.parts)
        return Mask(layers, self.feather) if layers else None

    def item(self, number: int, count: int) -> Masking:
        """For one item of a list, which may be a batch itself."""
        return replace(self, parts=tuple(part.one(number, count) for part in self.parts))


NO_MASKS = Masking((), 0)


def masking_of(
    mask: Any, strength: Any, feather: int, invert: bool, model: str | os.PathLike[str] | None
) -> Masking:
    """What was given for a call.

    Args:
        mask: see ``Style.__call__``.
        strength: another mask, or None.
        feather, invert, model: see ``MaskSettings``.

    Raises:
        FastTransferError: no mask, or a file that cannot be read.
    """
    is_person = isinstance(mask, str) and mask == PERSON
    named = None if mask is None else PERSON if is_person else ALPHA  # no other path matters here
    place = None if model is None else os.fsdecode(model)
    settings = MaskSettings(path=named, feather=feather, invert=invert, model=place)
    parts: list[Part] = []
    if is_person:
        parts.append(Part(None, model=_model(find_person_model(place)), invert=invert))
    elif mask is not None:
        parts.append(replace(_part("mask", mask), invert=invert))
    if strength is not None:
        parts.append(_part("strength", strength))
    return Masking(tuple(parts), settings.feather)


@lru_cache(maxsize=1)
def _model(path: Path) -> PersonModel:
    """Kept for the next call, as it takes a while to load."""
    return PersonModel(path)


def _part(name: str, given: Any) -> Part:
    if isinstance(given, str) and given == ALPHA and name == "mask":
        return Part(None)
    if isinstance(given, list | tuple):
        return Part(tuple(_single(name, one) for one in given), each=True)
    if isinstance(given, np.ndarray | Tensor):
        values = _values(name, given)
        layers = tuple(gray_of(one) for one in values.reshape(-1, *values.shape[-2:]))
        return Part(layers, each=len(layers) > 1)
    return Part((_single(name, given),))


def _single(name: str, given: Any) -> Layer:
    """One layer from what stands for one picture."""
    if isinstance(given, str | os.PathLike):
        return read_gray(expand_user(os.fsdecode(given)), max_pixels=MAX_PIXELS)
    if isinstance(given, Image.Image) and 0 not in given.size:
        return gray(standardize(given.copy())[0])
    if isinstance(given, np.ndarray | Tensor):
        values = _values(name, given)
        if values.numel() == values.shape[-1] * values.shape[-2]:
            return gray_of(values)
        raise FastTransferError(f"{name} has a batch inside of a list; {WANTED}.")
    raise FastTransferError(f"{name}={str(given)[:40]} is no mask; {WANTED}.")


def _values(name: str, given: np.ndarray | Tensor) -> Tensor:
    """(H, W), (1, H, W), (B, H, W) or (B, 1, H, W) as floats in [0, 1]; colors become gray."""
    shape: Sequence[int] = tuple(given.shape)
    if isinstance(given, np.ndarray):
        given = torch.from_numpy(np.ascontiguousarray(given))
        if len(shape) == 3 and shape[-1] in (3, 4) and given.dtype == torch.uint8:
            return torch.from_numpy(np.array(gray(Image.fromarray(given.numpy())))) / 255
    fits = len(shape) in (2, 3) or (len(shape) == 4 and shape[1] == 1)
    if not fits or 0 in shape:
        raise FastTransferError(f"{name} of shape {shape} is no mask; {WANTED}.")
    if given.dtype == torch.bool:
        return given.float()
    if given.dtype == torch.uint8:
        return given.float() / 255
    if not given.is_floating_point() or not (given.min() >= 0 and given.max() <= 1):
        kind = str(given.dtype).removeprefix("torch.")
        raise FastTransferError(f"{name} of {kind} with such values is no mask; {WANTED}.")
    return given.detach().float()
