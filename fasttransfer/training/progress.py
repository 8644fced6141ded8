"""How far a run is: a bar on a terminal, and a plain line now and then in a log file."""

import sys
import time
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ProgressBar, RichProgressBar
from rich.progress import BarColumn, ProgressColumn

from .budget import in_words

_REFRESH_SECONDS = 0.1
# What is worth a person's attention, by the name that is printed.
_SHOWN = {
    "content": "train/content",
    "style": "train/style",
    "images/s": "train/images_per_second",
}


def progress(every_seconds: float) -> ProgressBar:
    """A bar where there is a terminal, else a line.

    Args:
        every_seconds: time between two lines.
    """
    return Bar() if sys.stdout.isatty() else Lines(every_seconds)


class Bar(RichProgressBar):
    """A bar over all steps of the run, with the losses, images/s and the time left."""

    def __init__(self) -> None:
        super().__init__()
        self._metrics: dict[str, Any] = {}
        self._refreshed = 0.0

    @property
    def total_train_batches(self) -> int:
        """The photos never end, so the steps are what there is to count."""
        return self.trainer.max_steps

    def refresh(self, hard: bool = False) -> None:
        """Draws ten times a second at most, however short the steps are."""
        now = time.monotonic()
        if hard or now - self._refreshed >= _REFRESH_SECONDS:
            self._refreshed = now
            if self.progress is not None and self.train_progress_bar_id is not None:
                self.progress.update(self.train_progress_bar_id, total=self.trainer.max_steps)
            super().refresh(hard)

    def configure_columns(self, trainer: pl.Trainer) -> list[ProgressColumn]:
        """Bar, steps and time left, narrow enough to leave the losses room on 80 columns."""
        steps, elapsed_and_left = super().configure_columns(trainer)[2:4]
        return [BarColumn(bar_width=10), steps, elapsed_and_left]

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """The few numbers of ``shown_metrics``, renewed when they are logged.

        Each look at a number waits for the device.
        """
        if trainer.global_step % max(1, trainer.log_every_n_steps) == 0:  # type: ignore[attr-defined]
            self._metrics = shown_metrics(trainer)
        return self._metrics


class Lines(ProgressBar):
    """Without a terminal: the step, the time left and the losses on a line of their own.

    Args:
        every_seconds: time between two lines.
    """

    def __init__(self, every_seconds: float) -> None:
        super().__init__()
        self.every_seconds = every_seconds
        self._started = self._printed = (time.monotonic(), 0)

    def disable(self) -> None:
        """Lightning asks for this on all processes but the first."""
        self.every_seconds = float("inf")

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Time counts from here."""
        self._started = self._printed = (time.monotonic(), trainer.global_step)

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any, **__: Any) -> None:
        """A line, when it is time for one."""
        now = time.monotonic()
        if now - self._printed[0] < self.every_seconds:
            return
        self._printed = (now, trainer.global_step)
        start, first = self._started
        pace = (now - start) / max(1, trainer.global_step - first)
        text = line(trainer.global_step, trainer.max_steps, pace, shown_metrics(trainer))
        print(text, file=sys.stderr, flush=True)


def line(step: int, steps: int, pace: float, metrics: dict[str, str]) -> str:
    """``step 120 of 600 (20 %), 4 min left, content 0.31``, at ``pace`` seconds a step."""
    parts = [f"step {step} of {steps} ({100 * step // steps} %)"]
    parts.append(f"{in_words((steps - step) * pace)} left")
    return ", ".join([*parts, *(f"{name} {value}" for name, value in metrics.items())])


def shown_metrics(trainer: pl.Trainer) -> dict[str, str]:
    """Some of what was logged last. Waits for the device."""
    metrics = trainer.callback_metrics
    return {name: f"{float(metrics[key]):.2g}" for name, key in _SHOWN.items() if key in metrics}
