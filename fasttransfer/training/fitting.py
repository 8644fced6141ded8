"""Lightning's loop over the steps, and what its exceptions mean."""

import logging
import os
import sys
import threading
import warnings
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytorch_lightning as pl
import torch

from ..core.errors import FastTransferError, brief
from .module import StyleTraining

_WATCH_SECONDS = 1.0
_LOST = (
    "Another process of this training was killed or lost its connection; the last checkpoint is kept: "
    "resume= continues from it."
)


def fit(
    trainer: pl.Trainer,
    training: StyleTraining,
    photos: pl.LightningDataModule,
    checkpoint: Path | None,
) -> None:
    """Trains from ``checkpoint``, or from the first step.

    Raises:
        FastTransferError: a checkpoint that does not fit, photos that cannot be read any more, a process
            that was killed.
    """
    watch = _Watch(trainer)
    watch.start()
    try:
        trainer.fit(training, photos, ckpt_path=checkpoint, weights_only=True)
    except FastTransferError as error:
        raise FastTransferError(_sentence(error)) from error
    except (OSError, MemoryError):
        raise
    except Exception as error:  # whatever is in a checkpoint, Lightning and PyTorch stumble over it
        if isinstance(error, RuntimeError) and (known := _known(error)) is not None:
            raise FastTransferError(known) from error
        if checkpoint is not None and not training.has_begun:
            raise FastTransferError(
                f"The checkpoint '{checkpoint}' does not fit the settings beside it "
                f"({type(error).__name__}: {brief(error)[:200]}); start the run again."
            ) from error
        raise
    finally:
        watch.end()


def _sentence(error: FastTransferError) -> str:
    """Without the traceback that a process which reads photos puts before it."""
    return str(error.args[0]).strip().rpartition("FastTransferError: ")[2]


def _known(error: RuntimeError) -> str | None:
    """What an error of PyTorch means that the user can do something about."""
    text = brief(error)
    if "DataLoader worker" in text or "shared memory" in text or "/torch_" in text:
        return (
            "A process that reads photos was killed, by a small /dev/shm as in Docker or for lack of "
            "memory; give docker run --shm-size=1g, or data.workers=0."
        )
    gone = ("Connection closed by peer", "Connection reset by peer", "NCCL", "ncclRemoteError")
    if torch.distributed.is_initialized() and any(word in text for word in gone):
        return _LOST
    return None


class _Watch(threading.Thread):
    """Ends this process with a sentence when one is gone that Lightning has started beside it.

    Lightning itself would kill it without one, or it would wait for the other in vain.
    """

    def __init__(self, trainer: pl.Trainer) -> None:
        super().__init__(daemon=True)
        self._over = threading.Event()
        self._trainer = trainer

    def end(self) -> None:
        """Stops watching."""
        self._over.set()

    def run(self) -> None:
        while not self._over.wait(_WATCH_SECONDS):
            started: list[Popen[Any]] = getattr(self._trainer.strategy.launcher, "procs", [])
            if any(process.poll() not in (None, 0) for process in started):
                if self._over.wait(_WATCH_SECONDS):  # this process has its own sentence
                    return
                print(_LOST, file=sys.stderr, flush=True)
                for process in started:
                    process.kill()
                os._exit(2)


def quiet_lightning() -> None:
    """Keeps away Lightning's advertisements and those of its warnings that do not hold here."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    for message in (
        ".*does not have many workers.*",  # on two cores reading takes a hundredth of a step
        ".*module.*in eval mode at the start.*",  # the frozen loss network is meant to be
        ".*srun.*command is available.*",  # on the login node of a cluster
        ".*LeafSpec.*is deprecated.*",  # between Lightning and torch
    ):
        warnings.filterwarnings("ignore", message=message)
