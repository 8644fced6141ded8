"""Content photos: which files of a folder can be used, and random crops of them.

A training step needs crop number i, i + 1, …; everything random about a crop follows from the seed
and its number alone. So a resumed run, a run with more workers and a run on several devices see
the crops that they should, and the whole sampler state is the number of steps taken.
"""

import hashlib
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from PIL import Image
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from .errors import FastTransferError
from .images import open_rgb, to_tensor
from .plan import BUNDLED_PHOTOS, pictures_below

SKIPPED_FILE = "skipped_photos.txt"


def photo_folder(root: str | Path) -> Path:
    """``root`` itself, or the photos of the package that are called so, see ``BUNDLED_PHOTOS``."""
    folder = BUNDLED_PHOTOS.get(str(root), Path(root).expanduser())
    if not folder.is_dir():
        raise FastTransferError(
            f"The photo folder '{root}' does not exist; give a folder of photos, or bundled."
        )
    return folder


def usable_photos(
    folder: Path, min_side: int, max_pixels: int
) -> tuple[list[Path], dict[Path, str]]:
    """Opens every photo of a folder once, reduced, and sorts out what cannot be trained with.

    Args:
        folder: searched with everything below it.
        min_side: shorter side in pixels that a photo must have.
        max_pixels: largest picture that is decoded.

    Returns:
        The photos to use, and for each file left out the reason.

    Raises:
        FastTransferError: no pictures at all, or more than half of them unusable.
    """
    paths = list(pictures_below(folder))
    if not paths:
        raise FastTransferError(
            f"There is no picture in '{folder}'; give data.root a folder of photos (searched with "
            "everything below it)."
        )

    def reason(path: Path) -> str | None:
        try:
            photo = open_rgb(path, max_pixels=max_pixels, min_side=min_side)
        except FastTransferError as error:
            return str(error)
        if min(photo.size) < min_side:
            return f"{path} has {photo.width}×{photo.height} pixels, too few ({min_side} a side)"
        return None

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:  # decoders release the GIL
        reasons = dict(zip(paths, pool.map(reason, paths), strict=True))
    skipped = {path: why for path, why in reasons.items() if why is not None}
    if 2 * len(skipped) > len(paths):
        first = next(iter(skipped.values()))
        raise FastTransferError(
            f"{len(skipped)} of the {len(paths)} pictures in '{folder}' cannot be used, the first "
            f"because {first}; give data.root a folder of photos."
        )
    return [path for path in paths if path not in skipped], skipped


@dataclass(frozen=True)
class Window:
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
        check_numbers({"crop_size": (self.crop_size, 16), "photo_size": (self.photo_size, 16)})
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


def check_numbers(at_least: dict[str, tuple[int, int]]) -> None:
    """Raises FastTransferError for a setting of ``data`` that is no whole number from its least on."""
    for name, (value, least) in at_least.items():
        if not isinstance(value, int) or value < least:
            raise FastTransferError(f"data.{name}={value} must be a whole number from {least} on.")


class PhotoCrops(Dataset[Tensor]):
    """Random crops of photos, numbered without end.

    Args:
        paths: the photos.
        window: which parts of them.
        seed: of order, scale, place and mirroring.
        max_pixels: largest picture that is decoded.
        report: text file to which photos are added that turn out damaged while training.
    """

    def __init__(
        self, paths: list[Path], window: Window, seed: int, max_pixels: int, report: Path
    ) -> None:
        self.paths = paths
        self.window = window
        self.seed = seed
        self.max_pixels = max_pixels
        self.report = report
        self._order: tuple[int, np.ndarray] | None = None  # of the epoch last asked for

    def __getitem__(self, number: int) -> Tensor:
        """Crop ``number``, float RGB (3, crop_size, crop_size) in [0, 1]; each epoch of
        ``len(paths)`` numbers shows every photo once."""
        rng = np.random.default_rng((self.seed, 1, number))
        for attempt in range(len(self.paths)):  # a photo that broke since the start: take the next
            path = self.paths[self._photo(number + attempt)]
            try:
                photo = open_rgb(path, max_pixels=self.max_pixels, min_side=self.window.photo_size)
            except FastTransferError as error:
                with self.report.open("a") as file:  # one short write: workers do not mix lines
                    file.write(f"{error}\n")
                continue
            return to_tensor(self.window.crop(photo, rng))
        raise FastTransferError(
            "None of the photos can be read any more; is the folder still there?"
        )

    def _photo(self, number: int) -> int:
        epoch, place = divmod(number, len(self.paths))
        if self._order is None or self._order[0] != epoch:
            shuffled = np.random.default_rng((self.seed, 0, epoch)).permutation(len(self.paths))
            self._order = (epoch, shuffled)
        return int(self._order[1][place])


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


class TrainingPhotos(pl.LightningDataModule):
    """What a folder of photos and shards have in common; the arguments are those of
    ``ContentPhotos``."""

    def __init__(
        self,
        probe: str,
        probe_size: int,
        probe_count: int,
        batch_size: int,
        crop_size: int,
        max_pixels: int,
        workers: int | None,
        run_dir: str,
    ) -> None:
        super().__init__()
        check_numbers(
            {
                "batch_size": (batch_size, 1),
                "probe_size": (probe_size, 16),
                "probe_count": (probe_count, 1),
                "workers": (workers or 0, 0),
            }
        )
        self.batch_size = batch_size
        self.crop_size = crop_size
        if workers is None:
            workers = min(16, max(1, (os.cpu_count() or 1) - 1))
        self.workers = workers
        self.report = Path(run_dir) / SKIPPED_FILE
        self.probe = read_probe(photo_folder(probe), probe_size, probe_count, max_pixels)

    def loader(self, crops: Dataset[Tensor], **batches: Any) -> DataLoader[Tensor]:
        """``crops`` in batches, read by ``workers`` processes."""
        assert self.trainer is not None
        return DataLoader(
            crops,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            pin_memory=self.trainer.strategy.root_device.type == "cuda",
            worker_init_fn=_leave_signals_to_the_trainer,
            **batches,
        )


class ContentPhotos(TrainingPhotos):
    """Training crops of a folder of photos, and whole probe photos that are never trained on.

    Args:
        root: folder of the training photos, or ``bundled``.
        probe: folder of the probe photos, or ``bundled-probe``; those also in ``root`` are not
            trained on.
        probe_size: longer side of the probe photos in pixels.
        probe_count: how many of them at most.
        batch_size: crops a step and process.
        min_side: shorter side in pixels that a training photo must have.
        workers: processes that read photos; null is one less than the processors, 1 to 16.
        run_dir: folder for the list of skipped photos.

    The other arguments are those of ``Window`` and ``PhotoCrops``.
    """

    def __init__(
        self,
        root: str,
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
        window = Window(crop_size, photo_size, min_scale, max_scale)
        check_numbers({"min_side": (min_side, 1)})
        super().__init__(
            probe, probe_size, probe_count, batch_size, crop_size, max_pixels, workers, run_dir
        )
        self.paths, self.skipped = usable_photos(photo_folder(root), min_side, max_pixels)
        self.paths = [path for path in self.paths if path.resolve() not in self.probe]
        if not self.paths:
            raise FastTransferError(
                "Every photo in data.root is also a probe photo; give data.probe another folder."
            )
        self.crops = PhotoCrops(self.paths, window, seed, max_pixels, self.report)

    @property
    def number(self) -> int:
        """Of the photos that are trained on."""
        return len(self.paths)

    def first_crops(self, number: int) -> Tensor:
        """The crops that training begins with, (number, 3, crop_size, crop_size)."""
        return torch.stack([self.crops[place] for place in range(number)])

    def prepare_data(self) -> None:
        """Names the photos that were skipped, in the run folder (on one process a machine)."""
        if self.skipped:
            self.report.parent.mkdir(parents=True, exist_ok=True)
            self.report.write_text("".join(f"{why}\n" for why in self.skipped.values()))

    def state_dict(self) -> dict[str, str]:
        """Which photos are trained on: a resumed run can only be the same with the same ones."""
        names = "\n".join(path.name for path in self.paths)
        return {"photos": hashlib.sha256(names.encode()).hexdigest()}

    def load_state_dict(self, state_dict: dict[str, str]) -> None:
        """Says so if the photos are not those of before."""
        if state_dict != self.state_dict():
            rank_zero_warn(
                "The photos have changed since the run was stopped; it goes on with those of now."
            )

    def train_dataloader(self) -> DataLoader[Tensor]:
        """Batches (batch_size, 3, crop_size, crop_size) from the step the trainer stands at."""
        assert self.trainer is not None
        numbers = CropNumbers(
            self.batch_size,
            self.trainer.global_step,
            self.trainer.global_rank,
            self.trainer.world_size,
        )
        return self.loader(self.crops, batch_sampler=numbers)


def _leave_signals_to_the_trainer(_: int) -> None:
    """Ctrl-C and most job managers signal the whole process group; photos must still come until the
    trainer has finished its step and saved."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def read_probe(folder: Path, size: int, count: int, max_pixels: int) -> dict[Path, Tensor]:
    """The first ``count`` photos of a folder, (3, H, W) in [0, 1] with a longer side of ``size``."""
    photos = {}
    for path in islice(pictures_below(folder), count):
        photo = open_rgb(path, max_pixels=max_pixels)
        photo.thumbnail((size, size), Image.Resampling.LANCZOS)
        photos[path.resolve()] = to_tensor(photo)
    if not photos:
        raise FastTransferError(f"There is no picture in '{folder}'; give data.probe some photos.")
    return photos
