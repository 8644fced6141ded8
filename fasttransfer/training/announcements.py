"""What a run prints when it begins and when it ends."""

import shlex
import sys
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING

from pytorch_lightning.utilities import rank_zero_only
from rich.console import Console

from ..core.hardware import unused_gpu
from ..models.style_file import STYLE_FILE
from .run import Run

if TYPE_CHECKING:
    from ..data.datamodule import TrainingPhotos


@rank_zero_only
def announce_start(run: Run, photos: "TrainingPhotos") -> None:
    """Prints what is trained on what, where it is kept, and what is left out."""
    lines = []
    if run.config.trainer.accelerator == "auto" and (unused := unused_gpu()) is not None:
        lines.append(unused)
    if run.checkpoint is not None and run.checkpoint.damage is not None:
        lines.append(f"{run.checkpoint.damage}; going on from '{run.checkpoint.path.name}'")
    start = f"from step {run.first_step} " if run.first_step else ""
    lines.append(
        f"training '{run.config.style.name}' on {photos.number} photos {start}to step "
        f"{run.config.trainer.max_steps} in {run.folder}/ (watch preview.png there, or "
        f"tensorboard --logdir {shlex.quote(str(run.folder.parent))})"
    )
    if photos.skipped:
        lines.append(
            f"{len(photos.skipped)} unusable photos are left out and named in {photos.report}"
        )
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for line in lines:
        console.print(line, markup=False)


@rank_zero_only
def announce_end(run: Run, steps: int, stopped_by: Signals | None) -> None:
    """Prints what to type next."""
    folder = shlex.quote(str(run.folder))
    if Path(sys.argv[0]).name == "train.py":
        resume = f"python train.py resume={folder}"
        stylize = f"python infer.py style={folder} input=photo.jpg output=stylized.jpg"
    else:
        resume = f"fasttransfer train --resume {folder}"
        stylize = f"fasttransfer stylize photo.jpg --style {folder} -o stylized.jpg"
    if stopped_by is not None:
        print(f"stopped at step {steps}; continue with: {resume}", file=sys.stderr)
        return
    print(f"{run.folder / STYLE_FILE} is ready; stylize a photo with:\n{stylize}")
