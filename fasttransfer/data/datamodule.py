"""The Lightning data modules: crops to train with, and photos to look at."""

import copy
import hashlib
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..core.errors import FastTransferError
from ..core.hardware import allowed_cpus
from ..core.paths import real_path
from ..core.values import split, whole_number
from .crops import CropBatch, CropNumbers, PhotoCrops, RandomCrop, batch_of
from .findings import FINDINGS_FILE, Findings
from .photos import MANY, SKIPPED_FILE, photo_folder, read_probe, usable_photos

_MOST_WORKERS = 16  # by default; more readers seldom make one device faster


@dataclass(frozen=True)
class ProbeSettings:
    """Photos that are never trained on, for pictures and scores.

    Attributes:
        probe: their folder, or ``bundled-probe``.
        probe_size: their longer side in pixels.
        probe_count: how many at most.
        max_pixels: largest picture that is decoded.
    """

    probe: str
    probe_size: int
    probe_count: int
    max_pixels: int

    def __post_init__(self) -> None:
        whole_number("data.probe_size", self.probe_size, least=16, most=16_384)
        whole_number("data.probe_count", self.probe_count, least=1)
        whole_number("data.max_pixels", self.max_pixels, least=1)

    def read(self) -> dict[Path, Tensor]:
        """The photos by their paths, (3, H, W) in [0, 1]."""
        folder = photo_folder(self.probe)
        return read_probe(folder, self.probe_size, self.probe_count, self.max_pixels)


@dataclass(frozen=True)
class BatchSettings:
    """How crops become batches.

    Attributes:
        batch_size: crops a step and process.
        workers: processes that read photos; None is one less than the processors that may be used, 1
            to 16.
        run_dir: folder for the list of photos that cannot be used.
    """

    batch_size: int
    workers: int | None
    run_dir: str

    def __post_init__(self) -> None:
        whole_number("data.batch_size", self.batch_size, least=1, most=4096)
        if self.workers is not None:
            whole_number("data.workers", self.workers, least=0, most=512)

    @property
    def readers(self) -> int:
        """Processes that read photos; 0 reads them in this one."""
        if self.workers is not None:
            return self.workers
        return min(_MOST_WORKERS, max(1, allowed_cpus() - 1))

    @property
    def report(self) -> Path:
        """Text file with the photos that cannot be used."""
        return Path(self.run_dir) / SKIPPED_FILE


@dataclass(frozen=True)
class PhotoSettings:
    """Which photos are trained on.

    Attributes:
        root: their folder, or ``bundled``.
        min_side: shorter side in pixels that a photo must have.
        max_pixels: largest picture that is decoded.
        seed: of the order, and of the crops.
    """

    root: str
    min_side: int
    max_pixels: int
    seed: int

    def __post_init__(self) -> None:
        whole_number("data.min_side", self.min_side, least=1)
        whole_number("data.max_pixels", self.max_pixels, least=1)


class TrainingPhotos(pl.LightningDataModule):
    """What a folder of photos and shards have in common.

    Args:
        crop_size: side of the crops in pixels.
        probe: the photos to look at.
        batches: how crops become batches.

    Attributes:
        number: of the photos that are trained on.
        skipped: the photos that are not, and why.
    """

    number: int
    skipped: dict[Path, str]

    def __init__(self, crop_size: int, probe: ProbeSettings, batches: BatchSettings) -> None:
        super().__init__()
        self.crop_size = crop_size
        self.batches = batches
        self.batch_size = batches.batch_size
        self.report = batches.report
        self.probe = probe.read()

    def first_crops(self, number: int) -> Tensor:
        """The crops that training begins with, (number, 3, crop_size, crop_size)."""
        raise NotImplementedError

    def in_batches(self, batch_size: int) -> "TrainingPhotos":
        """The same photos in batches of another size."""
        other = copy.copy(self)
        other.batches = replace(self.batches, batch_size=batch_size)
        other.batch_size = batch_size
        return other

    def loader(self, crops: Dataset[tuple[Tensor, int]], **settings: Any) -> DataLoader[CropBatch]:
        """``crops`` in batches, read by processes of their own."""
        assert self.trainer is not None
        readers = self.batches.readers
        return DataLoader(
            crops,  # type: ignore[arg-type]
            num_workers=readers,
            persistent_workers=readers > 0,
            pin_memory=self.trainer.strategy.root_device.type == "cuda",
            worker_init_fn=_leave_signals_to_the_trainer,
            collate_fn=batch_of,
            **settings,
        )


class ContentPhotos(TrainingPhotos):
    """Training crops of a folder of photos, and whole probe photos that are never trained on.

    Args:
        photos: what is trained on; those that are also probe photos are not.
        window: which parts of them.
        probe: the photos to look at.
        batches: how crops become batches.

    Raises:
        FastTransferError: photos that cannot be used.
    """

    def __init__(
        self,
        photos: PhotoSettings,
        window: RandomCrop,
        probe: ProbeSettings,
        batches: BatchSettings,
    ) -> None:
        super().__init__(window.crop_size, probe, batches)
        self._findings_file = Path(batches.run_dir) / FINDINGS_FILE
        self._findings = Findings.read(self._findings_file, photos.min_side, photos.max_pixels)
        self.paths, self.skipped = usable_photos(photo_folder(photos.root), self._findings)
        self.paths = [path for path in self.paths if real_path(path) not in self.probe]
        if not self.paths:
            raise FastTransferError(
                "Every photo in data.root is also a probe photo; give data.probe another folder."
            )
        self.number = len(self.paths)
        self.crops = PhotoCrops(self.paths, window, photos.seed, photos.max_pixels, self.report)

    @classmethod
    def of(cls, **settings: Any) -> "ContentPhotos":
        """From the settings of ``conf/data/photos.yaml``."""
        return cls(*photo_settings(settings))

    def first_crops(self, number: int) -> Tensor:
        """The crops that training begins with, (number, 3, crop_size, crop_size)."""
        return torch.stack([self.crops.crop(place) for place in range(number)])

    def prepare_data(self) -> None:
        """Names the photos that were skipped, in the run folder (on one process a machine)."""
        if self.skipped:
            self.report.parent.mkdir(parents=True, exist_ok=True)
            lines = "".join(f"{why}\n" for why in self.skipped.values())
            self.report.write_text(lines, encoding="utf-8")
        if self.number >= MANY:
            self._findings.write(self._findings_file)

    def state_dict(self) -> dict[str, str]:
        """Which photos are trained on: a resumed run can only be the same with the same ones."""
        names = b"\n".join(os.fsencode(path.name) for path in self.paths)
        return {"photos": hashlib.sha256(names).hexdigest()}

    def load_state_dict(self, state_dict: dict[str, str]) -> None:
        """Warns if the photos are not those of before."""
        if state_dict != self.state_dict():
            rank_zero_warn(
                "The photos have changed since the run was stopped; it goes on with the present ones."
            )

    def train_dataloader(self) -> DataLoader[CropBatch]:
        """Batches from the step that the trainer is at."""
        assert self.trainer is not None
        numbers = CropNumbers(
            self.batch_size,
            self.trainer.global_step,
            self.trainer.global_rank,
            self.trainer.world_size,
        )
        return self.loader(self.crops, batch_sampler=numbers)


def photo_settings(
    settings: Mapping[str, Any],
) -> tuple[PhotoSettings, RandomCrop, ProbeSettings, BatchSettings]:
    """What ``ContentPhotos`` takes, from the settings of ``conf/data/photos.yaml``."""
    photos, window, probe, batches = split(
        settings, PhotoSettings, RandomCrop, ProbeSettings, BatchSettings
    )
    return photos, window, probe, batches


def _leave_signals_to_the_trainer(_: int) -> None:
    """Ctrl-C, a closed terminal and most job managers signal the whole process group.

    Photos must still come until the trainer has finished its step and saved.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
