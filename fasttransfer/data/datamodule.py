"""The Lightning data modules: crops to train with, and photos to look at."""

import hashlib
import os
import signal
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..core.errors import FastTransferError
from .crops import CropNumbers, PhotoCrops, RandomCrop, check_numbers
from .photos import SKIPPED_FILE, photo_folder, read_probe, usable_photos


class TrainingPhotos(pl.LightningDataModule):
    """What a folder of photos and shards have in common; the arguments are those of
    ``ContentPhotos``.

    Attributes:
        number: of the photos that are trained on.
        skipped: the photos that are not, and why.
    """

    number: int
    skipped: dict[Path, str]

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

    def first_crops(self, number: int) -> Tensor:
        """The crops that training begins with, (number, 3, crop_size, crop_size)."""
        raise NotImplementedError

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

    The other arguments are those of ``RandomCrop`` and ``PhotoCrops``.
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
        window = RandomCrop(crop_size, photo_size, min_scale, max_scale)
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
        self.number = len(self.paths)
        self.crops = PhotoCrops(self.paths, window, seed, max_pixels, self.report)

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
