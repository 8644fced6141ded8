import pytest
import torch

from fasttransfer.core.errors import FastTransferError
from fasttransfer.training.budget import in_words, seconds, seconds_a_step
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


@pytest.mark.slow
def test_a_pace_is_measured_and_nothing_is_trained():
    training = tiny_training()
    before = {key: value.clone() for key, value in training.state_dict().items()}
    small, large = (
        seconds_a_step(training, torch.rand(1, 3, side, side), torch.device("cpu"), bfloat16=False)
        for side in (16, 256)
    )
    assert 0 < small < large  # of 256 times as many pixels
    for key, value in training.state_dict().items():
        assert torch.equal(value, before[key]), key
