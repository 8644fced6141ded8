"""Random crops of content photos.

A training step needs crop number i, i + 1, …; everything random about a crop follows from the seed
and its number alone. So a resumed run, a run with more workers and a run on several devices see
the crops that they should, and the whole sampler state is the number of steps taken.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset, Sampler, get_worker_info

from ..core.errors import FastTransferError, shown_name
from ..core.values import number, whole_number
from ..images.reading import open_rgb
from ..images.tensors import to_tensor

SMALLEST = 16  # a side of a crop in pixels
_LARGEST = 8192  # above which a step would not fit into memory


@dataclass(frozen=True)
class RandomCrop:
    """Which part of a photo becomes a crop.

    Args:
        crop_size: side of the square crops in pixels.
        photo_size: larger photos are first reduced to this shorter side, so that a crop of a
            camera's photo shows things and not just skin.
        min_scale, max_scale: then scaled by a factor between these, uniform in its logarithm.

    Raises:
        FastTransferError: an argument that cannot be used.
    """

    crop_size: int
    photo_size: int
    min_scale: float
    max_scale: float

    def __post_init__(self) -> None:
        # A VGG16 layer four poolings deep must see something.
        whole_number("data.crop_size", self.crop_size, SMALLEST, most=_LARGEST)
        whole_number("data.photo_size", self.photo_size, SMALLEST, most=_LARGEST)
        number("data.min_scale", self.min_scale, least=0)
        number("data.max_scale", self.max_scale, least=0)
        if not 0 < self.min_scale <= self.max_scale:
            raise FastTransferError(
                f"data.min_scale={self.min_scale} and data.max_scale={self.max_scale} must be above 0, "
                "in order."
            )

    def crop(self, photo: Image.Image, rng: np.random.Generator) -> Image.Image:
        """A random part of ``photo``, mirrored every other time."""
        scale = min(1.0, self.photo_size / min(photo.size))
        scale *= float(np.exp(rng.uniform(*np.log((self.min_scale, self.max_scale)))))
        side = min(self.crop_size / scale, *photo.size)  # what the crop covers, in photo pixels
        left, top = (rng.uniform(0, length - side) for length in photo.size)
        crop = photo.resize(
            (self.crop_size, self.crop_size),
            Image.Resampling.BICUBIC,
            box=(left, top, left + side, top + side),
            reducing_gap=2.0,
        )
        return crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else crop


class CropBatch(NamedTuple):
    """Crops of a training step with their numbers, from which everything random about them follows.

    Attributes:
        crops: float RGB (B, 3, crop_size, crop_size) in [0, 1].
        numbers: of the crops in the run, one after the other.
    """

    crops: Tensor
    numbers: tuple[int, ...]


def batch_of(crops: Sequence[tuple[Tensor, int]]) -> CropBatch:
    """Crops (3, crop_size, crop_size) with their numbers, together; numbers stay off the device."""
    images, numbers = zip(*crops, strict=True)
    batch = torch.stack(images)
    if get_worker_info() is not None:
        # Here a full /dev/shm is an exception; a moment later it would be one in a thread that sends
        # the batch, which nobody hears of, and training would wait for the batch forever.
        batch.share_memory_()  # type: ignore[no-untyped-call]
    return CropBatch(batch, numbers)


class PhotoCrops(Dataset[tuple[Tensor, int]]):
    """Random crops of photos, numbered without end.

    Args:
        paths: the photos.
        window: which parts of them.
        seed: of order, scale, place and mirroring.
        max_pixels: largest picture that is decoded.
        report: text file to which photos are added that turn out damaged while training.
    """

    def __init__(
        self, paths: list[Path], window: RandomCrop, seed: int, max_pixels: int, report: Path
    ) -> None:
        self.paths = paths
        self.window = window
        self.seed = seed
        self.max_pixels = max_pixels
        self.report = report
        self._order: tuple[int, np.ndarray] | None = None  # of the epoch last asked for

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        """Crop ``number``, and the number."""
        return self.crop(number), number

    def crop(self, number: int) -> Tensor:
        """Crop ``number``, float RGB (3, crop_size, crop_size) in [0, 1].

        Each epoch of ``len(paths)`` numbers shows every photo once.
        """
        rng = np.random.default_rng((self.seed, 1, number))
        for attempt in range(len(self.paths)):  # a photo that broke since the start: take the next
            path = self.paths[self.photo_of(number + attempt)]
            try:
                photo = open_rgb(path, max_pixels=self.max_pixels, min_side=self.window.photo_size)
            except FastTransferError as error:
                note_unusable(self.report, error)
                continue
            return to_tensor(self.window.crop(photo, rng))
        raise FastTransferError(
            "None of the photos can be read any more; is the folder still there?"
        )

    def photo_of(self, number: int) -> int:
        """Which of ``paths`` a crop is of; each epoch has another order of them."""
        epoch, place = divmod(number, len(self.paths))
        if self._order is None or self._order[0] != epoch:
            shuffled = np.random.default_rng((self.seed, 0, epoch)).permutation(len(self.paths))
            self._order = (epoch, shuffled)
        return int(self._order[1][place])


def note_unusable(report: Path, error: Exception | str) -> None:
    """Adds a line about a photo to a text file."""
    report.parent.mkdir(parents=True, exist_ok=True)
    sentence = shown_name(str(error))  # one line, of any name
    with report.open("a", encoding="utf-8") as file:  # one short write: workers do not mix lines
        file.write(f"{sentence}\n")


class CropNumbers(Sampler[list[int]]):
    """The numbers of the crops in each batch of one process, without end.

    Args:
        batch_size: crops in a batch.
        first_step: how many steps were taken before.
        rank, world_size: of this process; together the processes take each number once.
    """

    def __init__(self, batch_size: int, first_step: int, rank: int, world_size: int) -> None:
        self.batch_size = batch_size
        self.first = (first_step * world_size + rank) * batch_size
        self.stride = world_size * batch_size

    def __iter__(self) -> Iterator[list[int]]:
        number = self.first
        while True:
            yield list(range(number, number + self.batch_size))
            number += self.stride
