"""Style files from the middle of a run, to see what more steps bring."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.utilities import rank_zero_only

from ..core.values import whole_number
from ..models.style_file import milestone_file, save_style
from .checkpointing import is_finite
from .module import StyleTraining
from .writing import tried

_STEPS = tuple(digit * 10**power for power in range(1, 16) for digit in (1, 3))  # 10, 30, 100, …


class Milestones(Callback):
    """Keeps the style as it is after 100, 300, 1000, 3000, … steps.

    ``RUN@300`` then is a style like any other: ``fasttransfer compare RUN@300 RUN@1000 RUN``.

    Args:
        first: the first step that may be one.
        most: how many files; 0 keeps none.
        run_dir: the run folder, which gets them below ``steps/``.
    """

    def __init__(self, first: int, most: int, run_dir: str) -> None:
        self.first = whole_number("callbacks.milestones.first", first, least=1)
        self.most = whole_number("callbacks.milestones.most", most, least=0)
        self.steps = frozenset(milestones(self.first, self.most))
        self.folder = Path(run_dir)

    @rank_zero_only
    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Writes a style file, if this step is a milestone."""
        assert isinstance(pl_module, StyleTraining)
        step = trainer.global_step
        if step in self.steps and is_finite(pl_module.result):
            file = milestone_file(self.folder, step)
            result, about, target = pl_module.result, pl_module.summary, pl_module.packed_target
            tried(file, lambda: save_style(file, result, about, target=target))


def milestones(first: int, most: int) -> list[int]:
    """The ``most`` lowest milestones from ``first`` on."""
    return [step for step in _STEPS if step >= first][:most]


def is_milestone(step: int) -> bool:
    """True for 0, 10, 30, 100, 300, 1000, and so on."""
    return step == 0 or step in _STEPS
