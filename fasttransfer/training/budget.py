"""How many steps fit into the time that a person gives, and of how many crops.

Both are chosen once, before training, from the time of a few steps. The number of steps is corrected
after a tenth of the run, see ``replanning``.
"""

import copy
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from ..core.errors import FastTransferError
from .module import StyleTraining

_UNITS = {"s": 1, "m": 60, "h": 3600}
_WARM_UP = 2  # the first steps choose algorithms and fetch memory
_TIMED = 4
_BESIDE = 1.15  # a step of training, with logs, pictures and checkpoints, to the bare step measured

# A GPU is seldom filled by one crop. More crops in hardly more time are free.
_BATCHES = (2, 4, 8, 16)
_FREE = 1.3  # at most this many times as long as a step of one crop
# So many steps are enough; after that, steps of more crops are worth more than further steps.
_ENOUGH = 10_000
_LARGEST_BATCH = 64


def seconds(budget: str) -> float:
    """``"90s"``, ``"6m"`` or ``"1.5h"`` in seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", str(budget).strip())
    if not match or float(match[1]) <= 0:
        raise FastTransferError(
            f"budget={budget} is not a time; write something like 90s, 5m or 1h, or full for "
            "trainer.max_steps steps."
        )
    return float(match[1]) * _UNITS[match[2]]


def in_words(time: float) -> str:
    """A time in seconds as people say it: ``40 s``, ``7 min``, ``2 h 5 min``."""
    if time < 100:
        return f"{time:.0f} s"
    minutes = round(time / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


@dataclass(frozen=True)
class Plan:
    """What is done in a time.

    Attributes:
        batch_size: crops a step.
        pace: seconds a step.
        steps: that fit.
    """

    batch_size: int
    pace: float
    steps: int


def plan(time: float, pace: Callable[[int], float], batch_size: int, may_grow: bool) -> Plan:
    """The largest batch that costs hardly more than one crop, and a larger one for a long time.

    Args:
        time: seconds for the whole run.
        pace: seconds a step of so many crops; may raise ``torch.OutOfMemoryError``.
        batch_size: to begin with.
        may_grow: whether another one may be chosen.
    """
    found = first = pace(batch_size)
    if may_grow:
        for size, taken in _measured(pace, _BATCHES):
            if taken > _FREE * first:
                break
            batch_size, found = size, taken
        while time / found > _ENOUGH and 2 * batch_size <= _LARGEST_BATCH:
            doubled = [*_measured(pace, (2 * batch_size,))]
            if not doubled:
                break
            ((batch_size, found),) = doubled
    return Plan(batch_size, found, max(1, int(time / found)))


def _measured(pace: Callable[[int], float], sizes: tuple[int, ...]) -> Iterator[tuple[int, float]]:
    """As far as the memory of the device goes."""
    for size in sizes:
        try:
            yield size, pace(size)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            return


class Pace:
    """How long a step of training takes, from the median of a few taken on a copy.

    Args:
        training: not changed.
        crop_size: side of the crops in pixels.
        device: that training will run on.
        bfloat16: whether training uses autocast to bfloat16.
        clock: of seconds.
    """

    def __init__(
        self,
        training: StyleTraining,
        crop_size: int,
        device: torch.device,
        bfloat16: bool,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._trial = copy.deepcopy(training).to(device)
        self._trial.choose_layout(device)
        self._optimizer = self._trial.make_optimizer(self._trial.trainable)
        self._crop_size = crop_size
        self._device = device
        self._bfloat16 = bfloat16
        self._clock = clock

    def __call__(self, batch_size: int) -> float:
        """Seconds of a step of ``batch_size`` crops, with what comes beside it in a run."""
        crops = torch.rand(batch_size, 3, self._crop_size, self._crop_size).to(self._device)
        times = []
        for _ in range(_WARM_UP + _TIMED):
            start = self._clock()
            with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bfloat16):
                terms = self._trial.terms(crops, first_crop=0)
            terms["total"].backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
            self._optimizer.zero_grad()
            self._trial.average()
            terms["total"].item()  # waits for the device
            times.append(self._clock() - start)
        return sorted(times[_WARM_UP:])[_TIMED // 2] * _BESIDE
