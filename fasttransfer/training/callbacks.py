"""What a run shows of itself while it trains: pictures, style files, scores, progress."""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, RichProgressBar
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities import rank_zero_only
from rich.progress import BarColumn, ProgressColumn
from torch import Tensor

from ..core.errors import FastTransferError
from ..evaluation.scores import Scores, score
from ..images.contact_sheets import contact_sheet, side_by_side
from ..images.writing import write_picture
from ..models.style_file import STYLE_FILE, save_style
from ..models.transformer_net import TransformerNet
from .checkpointing import Timer, is_finite
from .module import StyleTraining

PREVIEW_FILE = "preview.png"
SCORES_FILE = "scores.jsonl"


class ProbePhotos(Callback):
    """Stylizes photos that are never trained on: to TensorBoard with the content and the style
    image beside them, and as a contact sheet to ``preview.png`` in the run folder.

    Args:
        every_seconds: how often ``preview.png`` is refreshed; TensorBoard gets pictures at the
            steps 0, 10, 30, 100, 300, … and at the end.
        run_dir: the run folder.
    """

    def __init__(self, every_seconds: float, run_dir: str) -> None:
        self.clock = Timer(every_seconds)
        self.preview = Path(run_dir) / PREVIEW_FILE

    @rank_zero_only
    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Pictures of the untrained network, unless the run was resumed."""
        if trainer.global_step == 0:
            self._show(trainer, pl_module, to_tensorboard=True)

    @rank_zero_only
    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Pictures when it is time for them."""
        milestone = is_milestone(trainer.global_step)
        if milestone or self.clock.is_due():
            self._show(trainer, pl_module, to_tensorboard=milestone)

    @rank_zero_only
    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The last pictures."""
        self._show(trainer, pl_module, to_tensorboard=not is_milestone(trainer.global_step))

    def _show(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, to_tensorboard: bool
    ) -> None:
        assert isinstance(pl_module, StyleTraining)
        probe = probe_of(trainer)
        contents = list(probe.values())
        stylized = [stylize(pl_module.result, content, pl_module.device) for content in contents]
        style = pl_module.style.image[0]
        write_picture(self.preview, contact_sheet(contents, stylized, style), None, quality=95)
        if to_tensorboard and isinstance(trainer.logger, TensorBoardLogger):
            names = [path.stem for path in probe]
            for name, content, output in zip(names, contents, stylized, strict=True):
                trainer.logger.experiment.add_image(
                    f"probe/{name}", side_by_side([content, output, style]), trainer.global_step
                )


class StyleFile(Callback):
    """Writes ``style.safetensors`` into the run folder while it trains and, with the scores over
    the probe photos, at the end; the scores also go to TensorBoard, at the end to its HParams tab,
    and a line each to ``scores.jsonl``.

    Args:
        every_seconds: time between two writes.
        scored: how often the result is scored, at equal distances; the last time is the end.
        run_dir: the run folder.
        hyper_parameters: the settings that the HParams tab shows as columns.
    """

    def __init__(
        self, every_seconds: float, scored: int, run_dir: str, hyper_parameters: Mapping[str, Any]
    ) -> None:
        if not isinstance(scored, int) or scored < 1:
            raise FastTransferError(
                f"callbacks.style_file.scored={scored} must be a whole number from 1 on."
            )
        self.clock = Timer(every_seconds)
        self.scored = scored
        self.folder = Path(run_dir)
        self.hyper_parameters = dict(hyper_parameters)
        self.scores: Scores | None = None

    @rank_zero_only
    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Writes the file, and scores the result, when it is time for it."""
        if self.clock.is_due():
            self._write(trainer, pl_module)
        steps = trainer.max_steps
        if trainer.global_step in {steps * part // self.scored for part in range(1, self.scored)}:
            self._score(trainer, pl_module)

    @rank_zero_only
    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Scores the result, if the run was not stopped before its end, and writes the file."""
        assert isinstance(pl_module, StyleTraining)
        if trainer.global_step < trainer.max_steps:
            self._write(trainer, pl_module)
            return
        self.scores = self._score(trainer, pl_module)
        self._write(trainer, pl_module)
        if isinstance(trainer.logger, TensorBoardLogger):
            trainer.logger.log_hyperparams(
                self.hyper_parameters
                | {"style": pl_module.style.name, "steps": trainer.global_step},
                metrics={f"val/{name}": value for name, value in self.scores.items()},
                step=trainer.global_step,
            )

    def _score(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> Scores:
        assert isinstance(pl_module, StyleTraining)
        photos = list(probe_of(trainer).values())
        style, features = pl_module.style.image, pl_module.loss.features
        scores = score(pl_module.result, photos, style, features)
        with (self.folder / SCORES_FILE).open("a") as file:
            file.write(json.dumps({"step": trainer.global_step, **scores}) + "\n")
        if isinstance(trainer.logger, TensorBoardLogger):
            named = {f"val/{name}": value for name, value in scores.items()}
            trainer.logger.log_metrics(named, trainer.global_step)
        return scores

    def _write(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, StyleTraining)
        if not is_finite(pl_module.result):
            return  # the next step says so; the last good file stays
        told = pl_module.told | {"scores": self.scores}
        save_style(self.folder / STYLE_FILE, pl_module.result, told)


def read_scores(path: Path) -> dict[int, Scores]:
    """What a run has written to ``scores.jsonl`` so far, by its steps; lines that are not whole are
    left out."""
    found: dict[int, Scores] = {}
    for line in path.read_text().splitlines() if path.is_file() else ():
        with contextlib.suppress(json.JSONDecodeError):
            scores = json.loads(line)
            found[int(scores.pop("step"))] = scores
    return found


class Progress(RichProgressBar):
    """A bar over all steps of the run, with the losses, images/s and the time left."""

    @property
    def total_train_batches(self) -> int:
        """The photos never end, so the steps are what there is to count."""
        return self.trainer.max_steps

    def configure_columns(self, trainer: pl.Trainer) -> list[ProgressColumn]:
        """Bar, steps and time left, narrow enough to leave the losses room on 80 columns."""
        steps, elapsed_and_left = super().configure_columns(trainer)[2:4]
        return [BarColumn(bar_width=10), steps, elapsed_and_left]

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """The few numbers that are worth a person's attention."""
        shown = {
            "content": "train/content",
            "style": "train/style",
            "images/s": "train/images_per_second",
        }
        metrics = trainer.callback_metrics
        return {name: f"{metrics[key]:.2g}" for name, key in shown.items() if key in metrics}


def is_milestone(step: int) -> bool:
    """True for 0, 10, 30, 100, 300, 1000, …"""
    digits = str(step)
    return step == 0 or (step >= 10 and digits[0] in "13" and set(digits[1:]) <= {"0"})


def probe_of(trainer: pl.Trainer) -> dict[Path, Tensor]:
    """The probe photos, (3, H, W) each, by their paths."""
    probe: dict[Path, Tensor] = trainer.datamodule.probe  # type: ignore[attr-defined]
    return probe


@torch.no_grad()
def stylize(network: TransformerNet, content: Tensor, device: torch.device) -> Tensor:
    """One photo (3, H, W) through the network as it stands, clamped to [0, 1], on the CPU."""
    stylized = network(content[None].to(device))[0]
    return stylized.float().clamp(0, 1).cpu()
