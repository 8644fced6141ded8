"""A run that fills its time: the number of steps is corrected after a tenth of them.

The machine may have been busy while the pace was measured before training, or it may be now. What
follows a tenth of the run is a tenth of the schedule, too; the rest of the schedule then goes over as
many steps as the rest of the time allows.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from .budget import in_words
from .module import StyleTraining

_PART = 10  # of the steps, after which the rest is planned anew
_FEWEST = 40  # steps of a run that is worth it
_ALIKE = 0.03  # a plan that differs by less stays


class Replanning(Callback):
    """Plans the rest of a run anew after a tenth of it, and never again: then a resumed run is the same.

    Args:
        seconds: that the run may take.
        most_steps: that it may have, whatever the time; None for any number.
        clock: of seconds.
    """

    def __init__(
        self,
        seconds: float,
        most_steps: int | None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._seconds = seconds
        self._most_steps = most_steps
        self._clock = clock
        self._is_done = False
        self._mark: tuple[int, float] | None = None  # a step, and when it was over

    def state_dict(self) -> dict[str, Any]:
        """Whether the run has been planned anew, and the steps that it may have."""
        return {"is_done": self._is_done, "most_steps": self._most_steps}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """See ``state_dict``."""
        self._is_done = bool(state_dict["is_done"])
        most = state_dict["most_steps"]
        self._most_steps = None if most is None else int(most)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Takes the time after a twentieth, and plans after a tenth."""
        step, planned = trainer.global_step, trainer.max_steps
        if self._is_done or planned < _FEWEST or step >= planned:
            return
        if self._mark is None:
            if step >= planned // (2 * _PART):
                self._mark = (step, self._clock())
        elif step >= planned // _PART:
            assert isinstance(pl_module, StyleTraining)
            self._is_done = True
            began, then = self._mark
            pace = (self._clock() - then) / (step - began)
            self._plan(trainer, pl_module, pace)

    def _plan(self, trainer: pl.Trainer, training: StyleTraining, pace: float) -> None:
        step, planned = trainer.global_step, trainer.max_steps
        left = self._seconds - training.seconds
        steps = step + rest_of(left, pace, planned - step)
        if self._most_steps is not None:
            steps = min(steps, self._most_steps)
        steps = max(step + 1, trainer.strategy.broadcast(steps))  # the same on all processes
        if steps == planned:
            return
        training.replan(steps)
        if trainer.is_global_zero:
            print(
                f"the machine is {'faster' if steps > planned else 'slower'} than measured before: "
                f"{steps} steps instead of {planned}, {in_words((steps - step) * pace)} left",
                file=sys.stderr,
            )


def rest_of(left: float, pace: float, planned: int) -> int:
    """Steps for the seconds that are ``left``; ``planned`` if these would differ by little."""
    fitting = max(1, int(left / max(pace, 1e-9)))
    return planned if abs(fitting - planned) <= _ALIKE * planned else fitting
