"""What a run shows of itself while it trains: pictures, style files, scores."""

import contextlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor

from ..core.errors import FastTransferError, brief, shown_name
from ..core.paths import is_file
from ..core.values import whole_number
from ..evaluation.scores import Scores, score
from ..images.contact_sheets import contact_sheet, side_by_side
from ..images.writing import write_picture
from ..models.style_file import STYLE_FILE, save_style
from ..models.transformer_net import TransformerNet
from .checkpointing import Timer, is_finite
from .milestones import is_milestone
from .module import StyleTraining
from .writing import tried

PREVIEW_FILE = "preview.png"
SCORES_FILE = "scores.jsonl"


class ProbePhotos(Callback):
    """Stylizes photos that are never trained on.

    To TensorBoard with the content and the style image beside them, and as a contact sheet to
    ``preview.png`` in the run folder.

    Args:
        every_seconds: how often ``preview.png`` is refreshed; TensorBoard gets pictures at the
            steps 0, 10, 30, 100, 300, … and at the end.
        run_dir: the run folder.

    Attributes:
        problem: why the last ``preview.png`` could not be written, if it could not;
            training continues without it.
    """

    def __init__(self, every_seconds: float, run_dir: str) -> None:
        self.clock = Timer(every_seconds)
        self.preview = Path(run_dir) / PREVIEW_FILE
        self.problem: str | None = None

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
        sheet = contact_sheet(contents, stylized, style)
        self.problem = tried(
            self.preview, lambda: write_picture(self.preview, sheet, None, quality=95)
        )
        if to_tensorboard and isinstance(trainer.logger, TensorBoardLogger):
            names = [shown_name(path.stem) for path in probe]
            for name, content, output in zip(names, contents, stylized, strict=True):
                trainer.logger.experiment.add_image(
                    f"probe/{name}", side_by_side([content, output, style]), trainer.global_step
                )


class StyleFile(Callback):
    """Writes ``style.safetensors`` into the run folder, and scores at the end.

    The scores over the probe photos go into the file, to TensorBoard (at the end to its HParams
    tab), and a line each to ``scores.jsonl``.

    Args:
        every_seconds: time between two writes.
        scored: how often the result is scored, at equal distances; the last time is the end.
        run_dir: the run folder.
        hyper_parameters: the settings that the HParams tab shows as columns.

    Attributes:
        problem: why the last style file could not be written, if it could not.
    """

    def __init__(
        self, every_seconds: float, scored: int, run_dir: str, hyper_parameters: Mapping[str, Any]
    ) -> None:
        self.clock = Timer(every_seconds)
        self.scored = whole_number("callbacks.style_file.scored", scored, least=1)
        self.folder = Path(run_dir)
        self.hyper_parameters = dict(hyper_parameters)
        self.scores: Scores | None = None
        self.problem: str | None = None

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
        self._write(trainer, pl_module)  # whatever becomes of the scores
        self.scores = self._score(trainer, pl_module)
        self._write(trainer, pl_module)
        if self.scores is not None and isinstance(trainer.logger, TensorBoardLogger):
            trainer.logger.log_hyperparams(
                # What differs from run to run comes first.
                {"style": pl_module.style.name, "steps": trainer.global_step}
                | self.hyper_parameters,
                metrics={f"val/{name}": value for name, value in self.scores.items()},
                step=trainer.global_step,
            )

    def _score(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> Scores | None:
        assert isinstance(pl_module, StyleTraining)
        photos = list(probe_of(trainer).values())
        style, features = pl_module.style.image, pl_module.loss.features
        try:
            scores = score(pl_module.result, photos, style, features)
        except (RuntimeError, FastTransferError) as error:  # of memory, for instance
            print(f"The style could not be scored: {brief(error)[:300]}", file=sys.stderr)
            return None
        tried(self.folder / SCORES_FILE, lambda: self._note(trainer.global_step, scores))
        if isinstance(trainer.logger, TensorBoardLogger):
            named = {f"val/{name}": value for name, value in scores.items()}
            trainer.logger.log_metrics(named, trainer.global_step)
        return scores

    def _note(self, step: int, scores: Scores) -> None:
        with (self.folder / SCORES_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **scores}) + "\n")

    def _write(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, StyleTraining)
        if not is_finite(pl_module.result):
            return  # the next look at the loss says so; the last good file stays
        metadata = pl_module.summary | {"scores": self.scores}
        file = self.folder / STYLE_FILE
        self.problem = tried(
            file,
            lambda: save_style(file, pl_module.result, metadata, target=pl_module.packed_target),
        )


def read_scores(path: Path) -> dict[int, Scores]:
    """What a run has written to ``scores.jsonl`` so far, by its steps.

    Lines that are not whole are left out.
    """
    found: dict[int, Scores] = {}
    text = path.read_text(encoding="utf-8", errors="replace") if is_file(path) else ""
    for line in text.splitlines():
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
            scores = json.loads(line)
            step = int(scores.pop("step"))
            found[step] = {str(name): float(value) for name, value in scores.items()}
    return found


def probe_of(trainer: pl.Trainer) -> dict[Path, Tensor]:
    """The probe photos, (3, H, W) each, by their paths."""
    probe: dict[Path, Tensor] = trainer.datamodule.probe  # type: ignore[attr-defined]
    return probe


@torch.no_grad()
def stylize(network: TransformerNet, content: Tensor, device: torch.device) -> Tensor:
    """One photo (3, H, W) through the network as it stands, clamped to [0, 1], on the CPU."""
    stylized = network(content[None].to(device))[0]
    return stylized.float().clamp(0, 1).cpu()
