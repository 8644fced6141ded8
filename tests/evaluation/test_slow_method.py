"""The slow method: from a picture to one with a lower objective."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fasttransfer.core.errors import FastTransferError
from fasttransfer.evaluation.slow_method import first_picture, optimize, sizes
from fasttransfer.evaluation.slow_settings import METHODS, STARTS
from fasttransfer.losses.perceptual import StyleObjective
from tests.helpers.slow import pixel_settings


@pytest.fixture
def photo():
    return torch.rand(1, 3, 32, 40, generator=torch.Generator().manual_seed(1))


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("start", STARTS)
def test_every_method_from_every_start_lowers_the_objective(objective, photo, method, start):
    begin = first_picture(start, photo)
    steps = []
    for picture, total in optimize(begin, photo, objective, pixel_settings(method, 8)):
        assert 0 <= picture.min() <= picture.max() <= 1
        steps.append((picture, total))
    assert len(steps) == 8
    first, last = steps[0][1], objective(steps[-1][0], photo)["total"].item()
    assert first == pytest.approx(objective(begin, photo)["total"].item(), rel=1e-4)
    assert last < 0.7 * first
    assert torch.equal(begin, first_picture(start, photo)), "the start is left as it is"


@pytest.mark.slow
def test_the_unit_of_the_loss_makes_no_difference_to_lbfgs(objective, photo):
    def last(unit: float) -> float:
        weights = {name: unit * weight for name, weight in objective.loss.weights.items()}
        asked = StyleObjective(objective.loss.weighted(**weights), objective.target)
        begin = first_picture("noise", photo)
        *_, (_, total) = optimize(begin, photo, asked, pixel_settings("lbfgs", 8))
        return total / unit

    assert [last(1e-6), last(1e6)] == pytest.approx(2 * [last(1)], rel=0.1)


def test_a_picture_without_a_reason_to_change_stays(objective, photo):
    """With the content term alone the photo itself is the best picture."""
    weights = dict.fromkeys(objective.loss.weights, 0.0) | {"content": 1.0}
    alone = StyleObjective(objective.loss.weighted(**weights), objective.target)
    *_, (picture, total) = optimize(photo, photo, alone, pixel_settings("lbfgs", 5))
    assert total == 0
    assert torch.equal(picture, photo)


@pytest.mark.parametrize(
    ("longer_side", "expected"),
    [(100, [100]), (256, [256]), (511, [511]), (512, [256, 512]), (1025, [256, 512, 1025])],
)
def test_sizes_double_up_to_the_pictures_own(longer_side, expected):
    assert sizes(longer_side, 90, coarsest=256) == sizes(90, longer_side, 256) == expected


@given(st.integers(8, 3000), st.integers(8, 3000), st.integers(1, 600))
def test_no_size_is_too_small_for_the_loss_network(height, width, coarsest):
    for size in sizes(height, width, coarsest):
        assert round(size * min(height, width) / max(height, width)) >= 8


def test_a_picture_that_is_too_thin():
    with pytest.raises(FastTransferError, match="300×3 pixels is too small"):
        sizes(3, 300, 32)


def test_noise_is_the_same_every_time_and_around_grey(photo):
    noise = first_picture("noise", photo)
    assert torch.equal(noise, first_picture("noise", 1 - photo))
    assert noise.mean() == pytest.approx(0.5, abs=0.02)
