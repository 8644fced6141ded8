"""Content photos in shards: tar files in WebDataset's layout, here or at URLs, read from front to back.

Millions of small files are slow on every shared disk and cannot be had from an object store one by
one; a few hundred tar files can. ``python -m fasttransfer.cli.shards`` packs a folder, and ``python
train.py data=shards data.root=SHARDS`` trains on it. Photos come in an order that is reshuffled in
each epoch; a resumed run begins with the epoch in which it was stopped.
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from ..core.errors import FastTransferError
from ..core.values import split, whole_number
from ..images.decoding import InMemory
from ..images.folders import IMAGE_SUFFIXES
from ..images.reading import open_rgb
from ..images.tensors import to_tensor
from .crops import CropBatch, RandomCrop, note_unusable
from .datamodule import BatchSettings, ProbeSettings, TrainingPhotos
from .shard_files import INDEX, find_shards, pictures_in, webdataset

# Epochs without a photo that a reader endures: a shard may be out of reach for a while.
_PATIENCE = 3
_PIXEL_BYTES = 8  # of a pixel, of which no file has more: RGBA in 16 bits


@dataclass(frozen=True)
class ShardSettings:
    """Which photos of shards are trained on.

    Attributes:
        root: a folder that ``pack`` made, a tar file, or several tar files or URLs as in
            ``https://host/photos-{000000..000041}.tar``.
        photos: how many there are; None asks the folder's index.
        buffer: photos among which the next one is drawn.
        min_side: shorter side in pixels that a photo must have.
        max_pixels: largest picture that is decoded.
        seed: of the order, and of the crops.
    """

    root: str
    photos: int | None
    buffer: int
    min_side: int
    max_pixels: int
    seed: int

    def __post_init__(self) -> None:
        if self.photos is not None:
            whole_number("data.photos", self.photos, least=1)
        whole_number("data.buffer", self.buffer, least=1, most=1_000_000)
        whole_number("data.min_side", self.min_side, least=1)
        whole_number("data.max_pixels", self.max_pixels, least=1)


@dataclass(frozen=True)
class Reader:
    """Where the reading begins, and which of the processes this is."""

    first_epoch: int = 0
    rank: int = 0
    world_size: int = 1


class ShardedCrops(IterableDataset[tuple[Tensor, int]]):
    """Random crops of photos in shards, without end, with their numbers.

    Every process and worker reads its own part of the shards; where there are fewer shards than
    readers, some read the same ones, for other crops. Scale, place and mirroring of a crop follow from
    the seed, the epoch and the photo's name.

    Args:
        shards: tar files or URLs.
        window: which parts of the photos.
        settings: which photos.
        report: text file to which photos are added that cannot be used.
        reader: where to begin.
    """

    def __init__(
        self,
        shards: list[str],
        window: RandomCrop,
        settings: ShardSettings,
        report: Path,
        reader: Reader | None = None,
    ) -> None:
        self._shards = shards
        self._window = window
        self._settings = settings
        self._report = report
        self._reader = reader or Reader()

    def __iter__(self) -> Iterator[tuple[Tensor, int]]:
        """Crops, float RGB (3, crop_size, crop_size) in [0, 1], with numbers that none has twice."""
        worker = get_worker_info()
        workers, number = (worker.num_workers, worker.id) if worker else (1, 0)
        readers = self._reader.world_size * workers
        reader = self._reader.rank * workers + number
        empty = 0  # epochs
        for epoch in count(self._reader.first_epoch):
            order = np.random.default_rng((self._settings.seed, 0, epoch)).permutation(
                len(self._shards)
            )
            mine = (
                order[reader::readers] if reader < len(order) else order[reader % len(order) :][:1]
            )
            empty += 1
            place = count()  # of a crop in the epoch and reader
            for sample in self._samples([self._shards[shard] for shard in mine], epoch, reader):
                crop = self._crop(sample, epoch, reader // len(order))
                if crop is not None:
                    empty = 0
                    yield crop, (epoch << 40) + next(place) * readers + reader
            if empty == _PATIENCE:
                raise FastTransferError(
                    f"No photo in the shards {self._shards[mine[0]]} … can be read; see {self._report}."
                )

    def _samples(self, shards: list[str], epoch: int, reader: int) -> Iterator[dict[str, Any]]:
        library: Any = webdataset()
        most = _PIXEL_BYTES * self._settings.max_pixels
        pictures = (one for shard in shards for one in pictures_in(shard, most, self._tell))
        samples = library.tariterators.group_by_keys(pictures, handler=self._tell)
        rng = random.Random(f"{self._settings.seed} {epoch} {reader}")
        return iter(library.shuffle(self._settings.buffer, rng=rng)(samples))

    def _crop(self, sample: dict[str, Any], epoch: int, copy: int) -> Tensor | None:
        name = f"{sample.get('__url__', '')}/{sample['__key__']}"
        pictures = [value for member, value in sample.items() if _is_picture(member)]
        if not pictures:
            self._tell(f"{name} has no picture")
        key = os.fsencode(str(sample["__key__"]))
        rng = np.random.default_rng([self._settings.seed, 1, epoch, copy, *key])
        for contents in pictures:
            try:
                photo = open_rgb(
                    InMemory(name, contents),
                    max_pixels=self._settings.max_pixels,
                    min_side=self._window.photo_size,
                )
            except FastTransferError as error:
                self._tell(error)
                continue
            if min(photo.size) < self._settings.min_side:
                self._tell(f"{name} has {photo.width}×{photo.height} pixels, too few")
                continue
            return to_tensor(self._window.crop(photo, rng))
        return None

    def _tell(self, error: Exception | str) -> bool:
        """Names what cannot be used; the rest is trained on."""
        note_unusable(self._report, error)
        return True


class ShardedPhotos(TrainingPhotos):
    """Training crops of photos in shards, and whole probe photos that are never trained on.

    Args:
        photos: what is trained on.
        window: which parts of the photos.
        probe: the photos to look at.
        batches: how crops become batches.

    Raises:
        FastTransferError: no shards, or it is not known how many photos they hold.
    """

    def __init__(
        self,
        photos: ShardSettings,
        window: RandomCrop,
        probe: ProbeSettings,
        batches: BatchSettings,
    ) -> None:
        super().__init__(window.crop_size, probe, batches)
        self.window = window
        self.settings = photos
        self.shards, counted = find_shards(photos.root)
        number = photos.photos or counted
        if number is None:
            raise FastTransferError(
                f"How many photos are in '{photos.root}' is not known without {INDEX} in a folder; give "
                "their number as data.photos=…"
            )
        self.number = number
        self.skipped = {}  # nothing is known before it is read

    @classmethod
    def of(cls, **settings: Any) -> "ShardedPhotos":
        """From the settings of ``conf/data/shards.yaml``."""
        return cls(*split(settings, ShardSettings, RandomCrop, ProbeSettings, BatchSettings))

    def first_crops(self, number: int) -> Tensor:
        """The crops that training begins with, (number, 3, crop_size, crop_size)."""
        crops = iter(ShardedCrops(self.shards, self.window, self.settings, self.report))
        return torch.stack([next(crops)[0] for _ in range(number)])

    def train_dataloader(self) -> DataLoader[CropBatch]:
        """Batches from the beginning of the epoch that the trainer is in."""
        assert self.trainer is not None
        seen = self.trainer.global_step * self.batch_size * self.trainer.world_size
        reader = Reader(seen // self.number, self.trainer.global_rank, self.trainer.world_size)
        crops = ShardedCrops(self.shards, self.window, self.settings, self.report, reader)
        return self.loader(crops, batch_size=self.batch_size)


def _is_picture(member: str) -> bool:
    """Whether a part of a sample, by its ending as in ``jpg`` or ``large.png``."""
    ending = f".{member.rpartition('.')[2].lower()}"
    return not member.startswith("__") and ending in IMAGE_SUFFIXES
