import pytest
import torch

from fasttransfer.core.errors import FastTransferError
from fasttransfer.training.budget import Pace, in_words, plan, seconds
from tests.helpers.training import tiny_training


@pytest.mark.parametrize(
    ("budget", "expected"), [("90s", 90), ("6m", 360), ("1.5h", 5400), ("0.5m", 30)]
)
def test_times_as_people_write_them(budget, expected):
    assert seconds(budget) == expected


@pytest.mark.parametrize("budget", ["8", "soon", "-1m", "0s", "1d", ""])
def test_other_times_are_refused(budget):
    with pytest.raises(FastTransferError, match="not a time"):
        seconds(budget)


@pytest.mark.parametrize(
    ("time", "words"),
    [(0.4, "0 s"), (40, "40 s"), (420, "7 min"), (5940, "99 min"), (7500, "2 h 5 min")],
)
def test_times_in_words(time, words):
    assert in_words(time) == words


@pytest.mark.parametrize(
    ("seconds_of", "seconds_in_all", "may_grow", "batch_size", "steps"),
    [
        ({1: 0.1}, 60, False, 1, 600),  # as on a CPU
        ({1: 0.1}, 7200, False, 1, 72_000),
        (
            {1: 0.1, 2: 0.11, 4: 0.12, 8: 0.15},
            60,
            True,
            4,
            500,
        ),  # 8 take more than 1.3 times as long
        ({1: 0.1, 2: 0.2}, 60, True, 1, 600),
        (dict.fromkeys((1, 2, 4, 8, 16), 0.1), 60, True, 16, 600),  # and no larger ones are tried
        ({1: 0.01, 2: 0.02, 4: 0.04}, 150, True, 2, 7500),  # 15,000 steps of 1 are too many
        ({1: 0.01, 2: 0.011, 4: 0.02, 8: 0.03}, 250, True, 8, 8333),
        (dict.fromkeys((1, 2, 4, 8, 16, 32, 64), 0.01), 1000, True, 64, 100_000),  # no end of it
    ],
)
def test_a_batch_grows_while_that_is_nearly_free_and_when_there_is_time_for_it(
    seconds_of, seconds_in_all, may_grow, batch_size, steps
):
    found = plan(seconds_in_all, seconds_of.__getitem__, 1, may_grow)
    assert (found.batch_size, found.steps, found.pace) == (
        batch_size,
        steps,
        seconds_of[batch_size],
    )


def test_a_batch_is_not_larger_than_the_memory():
    def pace(size):
        if size > 4:
            raise torch.OutOfMemoryError
        return 0.01

    assert plan(1000, pace, 1, may_grow=True).batch_size == 4


def test_there_is_a_step_in_any_time():
    assert plan(1, lambda _: 30.0, 1, may_grow=False).steps == 1


@pytest.mark.slow
def test_a_pace_is_the_median_and_nothing_is_trained():
    training = tiny_training()
    before = {key: value.clone() for key, value in training.state_dict().items()}
    # Two steps to warm up, and four: 1, 2, 8, and 3 s; the clock is read before and after each.
    ticks = iter([0, 50, 50, 90, 90, 91, 91, 93, 93, 101, 101, 104])
    pace = Pace(training, 16, torch.device("cpu"), bfloat16=False, clock=lambda: next(ticks))
    assert pace(2) == pytest.approx(3 * 1.15)
    for key, value in training.state_dict().items():
        assert torch.equal(value, before[key]), key
