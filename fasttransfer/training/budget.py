"""How many steps fit into the time that a person gives.

The steps are counted once, before training, and written into the run's settings: so the schedule of
the learning rate knows its end, and a resumed run takes the very same steps.
"""

import copy
import re
import time

import torch
from torch import Tensor

from ..core.errors import FastTransferError
from .module import StyleTraining

_UNITS = {"s": 1, "m": 60, "h": 3600}
_WARM_UP = 2  # the first steps choose algorithms and fetch memory
_TIMED = 8
_BESIDE = 1.15  # a step of training, with logs, pictures and checkpoints, to the bare step measured


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


def seconds_a_step(
    training: StyleTraining, batch: Tensor, device: torch.device, bfloat16: bool
) -> float:
    """How long a step of training takes, from the median of a few taken on a copy.

    Args:
        training: not changed.
        batch: photos (B, 3, H, W) of the shape of every training batch.
        device: that training will run on.
        bfloat16: whether training uses autocast to bfloat16.
    """
    trial = copy.deepcopy(training).to(device)
    optimizer = trial.make_optimizer(trial.trainable)
    content = batch.to(device)
    times = []
    for _ in range(_WARM_UP + _TIMED):
        start = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            terms = trial.terms(content, first_crop=0)
        terms["total"].backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
        trial.average()
        terms["total"].item()  # waits for the device
        times.append(time.perf_counter() - start)
    median = sorted(times[_WARM_UP:])[_TIMED // 2]
    return median * _BESIDE
