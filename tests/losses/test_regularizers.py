import math

import pytest
import torch

from fasttransfer.losses.regularizers import (
    fine_energy,
    fine_excess,
    grid_pattern,
    mean_variation,
    out_of_range,
    total_variation,
)


def test_total_variation_by_hand():
    assert total_variation(torch.ones(2, 3, 4, 4), scale=255).item() == 0
    step = torch.zeros(1, 1, 2, 2)
    step[..., 1] = 1  # two neighbors to the right differ by 1
    assert total_variation(step, scale=1).item() == 1
    assert total_variation(step, scale=255).item() == 255**2
    assert total_variation(step.repeat(5, 1, 1, 1), scale=1).item() == 1  # a mean over pictures
    assert mean_variation(step).item() == 0.25


def test_grid_pattern_by_hand():
    assert grid_pattern(torch.rand(1, 3, 1, 1).expand(1, 3, 9, 9), 2, 8).item() == pytest.approx(0)
    stripes = torch.tensor([0.0, 0.2]).repeat(8).expand(2, 3, 9, 16)  # amplitude 0.1 around 0.1
    for shaped in (stripes, stripes.mT):
        assert grid_pattern(shaped, 2, 8).item() == pytest.approx(0.01)
        assert grid_pattern(shaped, 2, 32).item() == pytest.approx(0.01)  # the window shrinks
    slope = torch.arange(17.0).expand(1, 3, 17, 17)
    assert grid_pattern(slope + 2 * slope.mT, 2, 8).item() == pytest.approx(0, abs=1e-6)
    torch.manual_seed(0)
    assert grid_pattern(torch.rand(1, 3, 256, 256), 2, 32) < 1e-3


def test_a_grid_is_found_where_it_is():
    """One that is stronger here, or has the opposite sign there, does not cancel."""
    stripes = torch.tensor([0.0, 0.2]).repeat(8).expand(1, 3, 16, 16)
    torch.testing.assert_close(
        grid_pattern(torch.cat((stripes, 0.2 - stripes), dim=3), 2, 8),
        torch.tensor(0.01),
        atol=2e-3,  # the windows over the seam
        rtol=0,
    )


def test_a_picture_too_small_for_a_grid_has_none():
    image = torch.rand(1, 3, 2, 9, requires_grad=True)
    assert grid_pattern(image, 2, 8) == 0


@pytest.mark.parametrize("period", [2, 3, 4, 8])
def test_fine_energy_of_stripes_by_hand(period):
    """A cosine of amplitude a has the mean square a² / 2, and checks of period 2 have a²."""
    places = torch.arange(48 + 4, dtype=torch.float64)  # whole periods, once four are taken off
    stripes = 0.5 + 0.1 * torch.cos(2 * torch.pi * places / period).expand(2, 3, 52, 52)
    seen = math.sin(math.pi / period) ** 4
    wanted = (0.1 * seen) ** 2 / (1 if period == 2 else 2)
    for shaped, directions_seen in ((stripes, [wanted, 0]), (stripes.mT, [0, wanted])):
        assert fine_energy(shaped).tolist() == pytest.approx(directions_seen, abs=1e-12)
    slope = places.square().expand(1, 3, 52, 52)
    assert fine_energy(slope).tolist() == pytest.approx([0, 0], abs=1e-12)
    assert fine_energy(stripes[..., :4]).tolist() == [0, 0]


def test_only_what_is_finer_than_the_style_image_costs():
    torch.manual_seed(0)
    style = torch.rand(1, 3, 32, 32)
    own = fine_energy(style)
    assert fine_excess(style, own) == 0
    assert fine_excess(0.9 * style.roll(5, -1), own) == 0
    assert fine_excess(3**0.5 * style, own).item() == pytest.approx(0.5)  # three times the energy
    stripes = torch.tensor([0.0, 0.2]).repeat(16).expand(1, 3, 32, 32)
    assert fine_excess(stripes, torch.zeros(2)).item() == pytest.approx(0.5)  # in one direction
    flat = torch.full((1, 3, 32, 32), 0.3, requires_grad=True)
    fine_excess(flat, torch.zeros(2)).backward()
    assert flat.grad is not None
    assert torch.isfinite(flat.grad).all()


def test_the_gradient_of_what_is_too_fine_is_less_of_it():
    torch.manual_seed(0)
    picture = torch.rand(1, 3, 16, 16, requires_grad=True)
    own = fine_energy(picture.detach()) / 9
    before = fine_excess(picture, own)
    before.backward()
    assert picture.grad is not None
    with torch.no_grad():
        assert fine_excess(picture - picture.grad, own) < before


def test_out_of_range_by_hand():
    assert out_of_range(torch.tensor([0.0, 0.5, 1.0])).item() == 0
    assert out_of_range(torch.tensor([-1.0, 3.0])).item() == 2.5
