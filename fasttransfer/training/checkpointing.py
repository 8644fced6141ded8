"""Checkpoints of a run: when they are written, when they count, and how a run is stopped safely."""

import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.plugins.io import TorchCheckpointIO
from torch import nn

from ..core.errors import FastTransferError
from ..core.files import write_whole
from ..models.style_file import LAST_CHECKPOINT


class WholeCheckpoints(TorchCheckpointIO):
    """Writes checkpoints under a temporary name in the same folder and renames them."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None
    ) -> None:
        """See ``TorchCheckpointIO``."""
        write_whole(Path(path), lambda file: torch.save(checkpoint, file))


class Checkpoints(Callback):
    """Keeps ``checkpoints/last.ckpt`` fresh, and saves it when the run is asked to stop: Ctrl-C and
    SIGTERM end it after the step that is under way, a second signal at once.

    Whether a step has ruined the weights shows only in the loss of the next one. So a checkpoint
    is first written as ``checkpoints/new.ckpt`` and takes the name ``last.ckpt`` one step later.

    Args:
        every_seconds: time between two checkpoints; None for none by the clock.
        every_n_steps: steps between two checkpoints; None for none by steps.
        run_dir: the run folder.
    """

    def __init__(
        self, every_seconds: float | None, every_n_steps: int | None, run_dir: str
    ) -> None:
        self.clock = Timer(every_seconds)
        if every_n_steps is not None and every_n_steps < 1:
            raise FastTransferError(
                f"callbacks.checkpoints.every_n_steps={every_n_steps} must be 1 or more, or null."
            )
        self.every_n_steps = every_n_steps
        self.last = Path(run_dir) / LAST_CHECKPOINT
        self.new = self.last.with_name("new.ckpt")
        self.stopped_by: signal.Signals | None = None
        self._saved_step: int | None = None
        self._previous: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Takes the signals over; Lightning's own handlers would raise in the middle of a step."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._note)

    def _note(self, number: int, _: FrameType | None) -> None:
        if self.stopped_by is not None:
            print("\nstopped at once", file=sys.stderr)
            os._exit(128 + number)
        self.stopped_by = signal.Signals(number)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Saves when it is time for it, and asks the trainer to stop once a signal has come."""
        self._accept(trainer)  # this step's loss was a number, or it would not have come here
        due = self.clock.is_due()
        if self.every_n_steps is not None:
            due = due or trainer.global_step % self.every_n_steps == 0
        stop = self.stopped_by is not None
        if trainer.world_size > 1:  # all processes must save and stop at the same step
            flags = torch.tensor([float(due), float(stop)], device=trainer.strategy.root_device)
            due, stop = (flag > 0 for flag in trainer.strategy.reduce(flags, reduce_op="sum"))
        if due or stop:
            self._save(trainer)
        if stop:
            self._accept(trainer)
            self.stopped_by = self.stopped_by or signal.SIGTERM
            trainer.should_stop = True

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keeps the last step."""
        if self._saved_step != trainer.global_step:
            self._save(trainer)
        self._accept(trainer)

    def _save(self, trainer: pl.Trainer) -> None:
        assert trainer.lightning_module is not None
        if is_finite(trainer.lightning_module):
            trainer.save_checkpoint(self.new)
            self._saved_step = trainer.global_step

    def _accept(self, trainer: pl.Trainer) -> None:
        if trainer.is_global_zero and self._saved_step is not None and self.new.exists():
            os.replace(self.new, self.last)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Gives the signals back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()


def is_finite(module: nn.Module) -> bool:
    """Whether every weight is a number: others are neither kept nor exported."""
    return all(bool(parameter.isfinite().all()) for parameter in module.parameters())


class Timer:
    """Strikes once in every ``every_seconds``; never, if that is None."""

    def __init__(self, every_seconds: float | None) -> None:
        if every_seconds is not None and not isinstance(every_seconds, (int, float)):
            raise FastTransferError(f"every_seconds={every_seconds} must be a number, or null.")
        self.every_seconds = every_seconds
        self.last = time.monotonic()

    def is_due(self) -> bool:
        """Whether the time is over; if so, it begins anew."""
        if self.every_seconds is None or time.monotonic() - self.last < self.every_seconds:
            return False
        self.last = time.monotonic()
        return True
