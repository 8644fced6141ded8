"""The schedule of the learning rate, and how it goes on if a run gets another number of steps."""

from collections.abc import Callable

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

MakeScheduler = Callable[..., LRScheduler]


def schedule_over(make: MakeScheduler, optimizer: Optimizer, steps: int) -> LRScheduler:
    """What ``make`` makes for a run of ``steps``; OneCycleLR looks a step ahead."""
    try:
        return make(optimizer, total_steps=steps + 1)
    except ZeroDivisionError:  # a twentieth of 20 steps, less 1, is a warm-up of no length
        return make(optimizer, total_steps=steps + 2)


def go_on(schedule: LRScheduler, make: MakeScheduler, step: int, planned: int, steps: int) -> None:
    """Lets a schedule that was to end after ``planned`` end after ``steps``.

    The learning rate goes on from where it is after ``step``.
    """
    length, place = stretched(step, planned, steps)
    new = schedule_over(make, schedule.optimizer, length)
    for _ in range(place):
        new.step()
    schedule.load_state_dict(new.state_dict())


def stretched(step: int, planned: int, steps: int) -> tuple[int, int]:
    """A schedule that is at the same place after ``step`` and ends after ``steps``, not ``planned``.

    Returns:
        The length of that schedule, and its place after ``step``.
    """
    left = steps - step
    length = max(left + 1, round(left * planned / (planned - step)))
    return length, length - left
