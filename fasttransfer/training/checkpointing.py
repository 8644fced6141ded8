"""Checkpoints of a run: when they are written, when they count, and how a run is stopped safely."""

import io
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.plugins.io import TorchCheckpointIO
from torch import nn

from ..core.errors import FastTransferError, brief
from ..core.files import write_whole
from ..core.values import whole_number
from ..models.style_file import LAST_CHECKPOINT
from ..models.torch_files import load_checked
from .module import StyleTraining
from .run_folder import PREVIOUS_CHECKPOINT
from .stopping import StopRequest


class WholeCheckpoints(TorchCheckpointIO):
    """Writes checkpoints as a whole, and reads them without running code.

    They get a temporary name in the same folder, and their own once the disk has them.

    Attributes:
        problem: why the last one could not be written, if it could not. It is not raised, because then
            the other processes of a run would wait for this one.
    """

    problem: str | None = None

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None
    ) -> None:
        """See ``TorchCheckpointIO``."""
        contents = io.BytesIO()  # as torch.save hides what the disk answers
        torch.save(checkpoint, contents)

        try:
            write_whole(Path(path), lambda file: file.write(contents.getbuffer()), durable=True)
            self.problem = None
        except OSError as error:
            self.problem = f"The checkpoint '{path}' cannot be written ({brief(error)})"

    def load_checkpoint(
        self, path: Any, map_location: Any = None, weights_only: bool | None = True
    ) -> dict[str, Any]:
        """See ``TorchCheckpointIO``; never runs code that a checkpoint holds."""
        return load_checked(Path(path), map_location)


class Checkpoints(Callback):
    """Keeps ``checkpoints/last.ckpt`` fresh, with the one before as ``previous.ckpt``.

    It also saves when the run is asked to stop: Ctrl-C, SIGTERM and SIGHUP end it after the step
    that is under way, a second signal at once.

    Whether a step has ruined the weights shows only in the loss of the next one. So a checkpoint
    is first written as ``checkpoints/new.ckpt`` and takes the name ``last.ckpt`` one step later.

    Args:
        every_seconds: time between two checkpoints; None for none by the clock.
        every_n_steps: steps between two checkpoints; None for none by steps.
        run_dir: the run folder.

    Attributes:
        stop: whether a signal has asked for the end.
        problem: why the last checkpoint could not be written, if it could not.
    """

    def __init__(
        self, every_seconds: float | None, every_n_steps: int | None, run_dir: str
    ) -> None:
        self.clock = Timer(every_seconds)
        if every_n_steps is not None:
            whole_number("callbacks.checkpoints.every_n_steps", every_n_steps, least=1)
        self.every_n_steps = every_n_steps
        self.last = Path(run_dir) / LAST_CHECKPOINT
        self.previous = Path(run_dir) / PREVIOUS_CHECKPOINT
        self.new = self.last.with_name("new.ckpt")
        self.stop = StopRequest()
        self.problem: str | None = None
        self._saved_step: int | None = None
        self._is_waiting = False  # whether new.ckpt does not count yet

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Takes the signals over once more: Lightning's own handlers would leave no checkpoint."""
        self.stop.take_over()
        trainer._signal_connector.received_sigterm = False  # ours has noted it

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Saves when it is time for it, and asks the trainer to stop once a signal has come."""
        self._accept(trainer)
        due = self.clock.is_due()
        if self.every_n_steps is not None:
            due = due or trainer.global_step % self.every_n_steps == 0
        stop = self.stop.signal is not None
        if trainer.world_size > 1:  # all processes must save and stop at the same step
            flags = torch.tensor([float(due), float(stop)], device=trainer.strategy.root_device)
            due, stop = (flag > 0 for flag in trainer.strategy.reduce(flags, reduce_op="sum"))
        if due or stop:
            self._save(trainer)
        if stop:
            self._accept(trainer)
            self.stop.signal = self.stop.signal or signal.SIGTERM  # it came to another process
            trainer.should_stop = True

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keeps the last step."""
        if self._saved_step != trainer.global_step:
            self._save(trainer)
        self._accept(trainer)

    def _save(self, trainer: pl.Trainer) -> None:
        assert isinstance(trainer.lightning_module, StyleTraining)
        if not is_finite(trainer.lightning_module.network):
            return
        trainer.save_checkpoint(self.new)
        self.problem = getattr(trainer.strategy.checkpoint_io, "problem", None)
        if self.problem is not None:
            print(f"{self.problem}; training continues and tries again.", file=sys.stderr)
        self._saved_step = trainer.global_step
        self._is_waiting = True

    def _accept(self, trainer: pl.Trainer) -> None:
        if not self._is_waiting:
            return
        self._is_waiting = False
        assert isinstance(trainer.lightning_module, StyleTraining)
        trainer.lightning_module.stop_unless_finite()  # the step after it, or its own at the end
        if trainer.is_global_zero and self.problem is None:
            keep_as(self.last, self.previous)
            self.new.replace(self.last)
            sync_folder(self.last.parent)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Gives the signals back."""
        self.stop.give_back()


def keep_as(path: Path, another: Path) -> None:
    """Gives a file a second name, so that it is there under one of them at any time."""
    if not path.exists():
        return
    link = another.with_name(f"{another.name}.link")
    try:
        link.unlink(missing_ok=True)
        os.link(path, link)
        link.replace(another)
    except OSError:  # a disk without links
        path.replace(another)


def sync_folder(folder: Path) -> None:
    """Lets the disk keep the names of the files in a folder, where it can be asked for that."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:  # some shared disks
        pass
    finally:
        os.close(descriptor)


def is_finite(module: nn.Module) -> bool:
    """Whether every weight is a number: others are neither kept nor exported. Waits for the device."""
    return bool(torch.stack([value.isfinite().all() for value in module.parameters()]).all())


class Timer:
    """Is due once in every ``every_seconds``; never, if that is None."""

    def __init__(self, every_seconds: float | None) -> None:
        if every_seconds is not None and not isinstance(every_seconds, (int, float)):
            raise FastTransferError(f"every_seconds={every_seconds} must be a number, or null.")
        self.every_seconds = every_seconds
        self.last = time.monotonic()

    def is_due(self) -> bool:
        """Whether the time is over; if so, it starts again."""
        if self.every_seconds is None or time.monotonic() - self.last < self.every_seconds:
            return False
        self.last = time.monotonic()
        return True
