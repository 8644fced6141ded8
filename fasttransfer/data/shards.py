"""Content photos in shards: tar files in WebDataset's layout, here or at URLs, read from front to back.

Millions of small files are slow on every shared disk and cannot be had from an object store one by
one; a few hundred tar files can. ``python -m fasttransfer.cli.shards`` packs a folder, and ``python
train.py data=shards data.root=SHARDS`` trains on it. Photos come in an order that is shuffled anew in
each epoch; a resumed run begins with the epoch in which it was stopped.
"""

import io
import json
import os
import random
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from ..core.errors import FastTransferError
from ..core.files import fresh_folder
from ..core.libraries import require
from ..core.progress import Report
from ..images.decoding import InMemory
from ..images.folders import IMAGE_SUFFIXES
from ..images.reading import open_rgb
from ..images.tensors import to_tensor
from .crops import RandomCrop, check_numbers
from .datamodule import TrainingPhotos
from .photos import photo_folder, usable_photos

if TYPE_CHECKING:
    from types import ModuleType


# Epochs without a photo that a reader endures: a shard may be out of reach for a while.
_PATIENCE = 3
INDEX = "index.json"  # beside the shards: how many photos they hold


class ShardedCrops(IterableDataset[Tensor]):
    """Random crops of photos in shards, without end.

    Every process and worker reads its own part of the shards; where there are fewer shards than
    readers, some read the same ones, for other crops. Scale, place and mirroring of a crop follow from
    the seed, the epoch and the photo's name.

    Args:
        shards: tar files or URLs, as WebDataset opens them.
        window: which parts of the photos.
        buffer: photos among which the next one is drawn.
        min_side: shorter side in pixels that a photo must have.
        max_pixels: largest picture that is decoded.
        seed: of the order and of the crops.
        report: text file to which photos are added that cannot be used.
        first_epoch: where to begin.
        rank, world_size: of this process.
    """

    def __init__(
        self,
        shards: list[str],
        window: RandomCrop,
        buffer: int,
        min_side: int,
        max_pixels: int,
        seed: int,
        report: Path,
        first_epoch: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self._shards = shards
        self._window = window
        self._buffer = buffer
        self._min_side = min_side
        self._max_pixels = max_pixels
        self._seed = seed
        self._report = report
        self._first_epoch = first_epoch
        self._rank, self._world_size = rank, world_size

    def __iter__(self) -> Iterator[Tensor]:
        """Crops, float RGB (3, crop_size, crop_size) in [0, 1]."""
        worker = get_worker_info()
        workers, number = (worker.num_workers, worker.id) if worker else (1, 0)
        readers, reader = self._world_size * workers, self._rank * workers + number
        empty = 0  # epochs
        for epoch in count(self._first_epoch):
            order = np.random.default_rng((self._seed, 0, epoch)).permutation(len(self._shards))
            mine = (
                order[reader::readers] if reader < len(order) else order[reader % len(order) :][:1]
            )
            empty += 1
            for sample in self._samples([self._shards[place] for place in mine], epoch, reader):
                crop = self._crop(sample, epoch, reader // len(order))
                if crop is not None:
                    empty = 0
                    yield crop
            if empty == _PATIENCE:
                raise FastTransferError(
                    f"No photo in the shards {self._shards[mine[0]]} … can be read; see {self._report}."
                )

    def _samples(self, shards: list[str], epoch: int, reader: int) -> Iterator[dict[str, Any]]:
        webdataset = _webdataset()
        schemes = require("webdataset.gopen", "shards", "data=shards").gopen_schemes
        for name in (name for name in shards if "://" in name):
            schemes.setdefault(name.partition("://")[0], _open_in_store)
        dataset = webdataset.WebDataset(
            shards,
            shardshuffle=False,  # they are shuffled and split above
            nodesplitter=None,
            workersplitter=None,
            handler=self._tell,
            empty_check=False,
        )
        rng = random.Random(f"{self._seed} {epoch} {reader}")
        return iter(dataset.shuffle(self._buffer, rng=rng))

    def _crop(self, sample: dict[str, Any], epoch: int, copy: int) -> Tensor | None:
        name = f"{sample.get('__url__', '')}/{sample['__key__']}"
        pictures = [value for member, value in sample.items() if _is_picture(member)]
        if not pictures:
            self._tell(f"{name} has no picture")
        key = str(sample["__key__"]).encode()
        rng = np.random.default_rng([self._seed, 1, epoch, copy, *key])
        for contents in pictures:
            try:
                photo = open_rgb(
                    InMemory(name, contents),
                    max_pixels=self._max_pixels,
                    min_side=self._window.photo_size,
                )
            except FastTransferError as error:
                self._tell(error)
                continue
            if min(photo.size) < self._min_side:
                self._tell(f"{name} has {photo.width}×{photo.height} pixels, too few")
                continue
            return to_tensor(self._window.crop(photo, rng))
        return None

    def _tell(self, error: Exception | str) -> bool:
        """Names what cannot be used; the rest is trained on."""
        self._report.parent.mkdir(parents=True, exist_ok=True)
        with self._report.open("a") as file:
            file.write(f"{' '.join(str(error).split())}\n")
        return True


class ShardedPhotos(TrainingPhotos):
    """Training crops of photos in shards, and whole probe photos that are never trained on.

    Args:
        root: a folder that ``pack`` made, a tar file, or several tar files or URLs as in
            ``https://host/photos-{000000..000041}.tar``.
        photos: how many there are; null asks the folder's index.
        buffer: see ``ShardedCrops``.
        run_dir: folder for the list of photos that cannot be read.

    The other arguments are those of ``ContentPhotos``.

    Raises:
        FastTransferError: no shards, or an argument that cannot be used.
    """

    def __init__(
        self,
        root: str,
        photos: int | None,
        buffer: int,
        probe: str,
        probe_size: int,
        probe_count: int,
        batch_size: int,
        crop_size: int,
        photo_size: int,
        min_scale: float,
        max_scale: float,
        min_side: int,
        max_pixels: int,
        workers: int | None,
        seed: int,
        run_dir: str,
    ) -> None:
        window = RandomCrop(crop_size, photo_size, min_scale, max_scale)
        check_numbers(
            {
                "buffer": (buffer, 1),
                "min_side": (min_side, 1),
                "photos": (1 if photos is None else photos, 1),
            }
        )
        super().__init__(
            probe, probe_size, probe_count, batch_size, crop_size, max_pixels, workers, run_dir
        )
        self.window = window
        self.shards, counted = find_shards(root)
        number = photos or counted
        if number is None:
            raise FastTransferError(
                f"How many photos are in '{root}' is not known without {INDEX} in a folder; give their "
                "number as data.photos=…"
            )
        self.number = number
        self.skipped: dict[Path, str] = {}  # nothing is known before it is read
        self._settings = (buffer, min_side, max_pixels, seed, self.report)

    def first_crops(self, number: int) -> Tensor:
        """The crops that training begins with, (number, 3, crop_size, crop_size)."""
        crops = iter(ShardedCrops(self.shards, self.window, *self._settings))
        return torch.stack([next(crops) for _ in range(number)])

    def train_dataloader(self) -> DataLoader[Tensor]:
        """Batches (batch_size, 3, crop_size, crop_size) from the beginning of the epoch in which the
        trainer stands."""
        assert self.trainer is not None
        seen = self.trainer.global_step * self.batch_size * self.trainer.world_size
        crops = ShardedCrops(
            self.shards,
            self.window,
            *self._settings,
            first_epoch=seen // self.number,
            rank=self.trainer.global_rank,
            world_size=self.trainer.world_size,
        )
        return self.loader(crops, batch_size=self.batch_size)


def _is_picture(member: str) -> bool:
    """Whether a part of a sample, by its ending as in ``jpg`` or ``large.png``."""
    ending = f".{member.rpartition('.')[2].lower()}"
    return not member.startswith("__") and ending in IMAGE_SUFFIXES


def _open_in_store(url: str, mode: str, _: int = 0, **__: Any) -> Any:
    """For the stores that WebDataset does not know."""
    return require("fsspec", "stores", url).open(url, mode).open()


def find_shards(root: str) -> tuple[list[str], int | None]:
    """The shards that ``root`` stands for, and the number of photos in them if it is known.

    Raises:
        FastTransferError: there are none.
    """
    folder = Path(root).expanduser()
    if folder.is_dir():
        shards = sorted(str(path) for path in folder.glob("*.tar"))
        index = folder / INDEX
        counted = int(json.loads(index.read_text())["photos"]) if index.is_file() else None
    else:
        shards = list(_webdataset().shardlists.expand_urls(os.path.expanduser(root)))
        counted = None
    missing = [name for name in shards if "://" not in name and not Path(name).is_file()]
    if missing or not shards:
        raise FastTransferError(
            f"There are no shards at '{missing[0] if missing else root}'; give data.root a folder that "
            "python -m fasttransfer.cli.shards made, or tar files as in 'photos-{000000..000041}.tar'."
        )
    return shards, counted


def pack(
    photos: Path,
    output: Path,
    report: Report,
    *,
    size: int,
    min_side: int,
    per_shard: int,
    quality: int,
) -> int:
    """Writes the photos of a folder as shards, in random order, and an index of them.

    Args:
        photos: a folder, searched with everything below it.
        output: a new folder; it appears when it is complete.
        report: is told which photos cannot be used, and shows the progress.
        size: pixels that the shorter side of larger photos is reduced to.
        min_side: shorter side in pixels that a photo must have.
        per_shard: photos in each tar file.
        quality: of the JPEGs, 1 to 100.

    Returns:
        The number of photos.

    Raises:
        FastTransferError: no photos, or ``output`` is there already.
    """
    if output.exists():
        raise FastTransferError(f"output={output} is there already; choose another folder.")
    paths, skipped = usable_photos(photo_folder(photos), min_side, max_pixels=10**9)
    for path, why in skipped.items():
        report.fail(path, FastTransferError(why))
    random.Random(0).shuffle(paths)
    part = fresh_folder(output.with_name(f".{output.name}.part"))
    part.mkdir(parents=True)
    try:
        writer = _webdataset().ShardWriter(
            str(part / "photos-%06d.tar"), maxcount=per_shard, verbose=0
        )
        with writer as shards:
            places = report.track(enumerate(paths), len(paths), "packing", "images")
            for number, path in places:
                photo = open_rgb(path, max_pixels=10**9, min_side=size)
                scale = min(1.0, size / min(photo.size))
                width, height = (max(1, round(side * scale)) for side in photo.size)
                file = io.BytesIO()
                photo.resize((width, height), Image.Resampling.LANCZOS).save(
                    file, "JPEG", quality=quality
                )
                shards.write({"__key__": f"{number:08}", "jpg": file.getvalue()})
        (part / INDEX).write_text(json.dumps({"photos": len(paths)}))
        part.rename(output)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return len(paths)


def _webdataset() -> "ModuleType":
    return require("webdataset", "shards", "data=shards")
