import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from fasttransfer.losses.color import (
    directions,
    group_means,
    palette_difference,
    palette_of,
    tone_difference,
)


def test_tone_by_hand():
    photo = torch.zeros(2, 3, 16, 32)
    photo[..., 8:16, :] = 0.5  # two rows of cells, dark and light
    photo[1] = 0.3  # without light and dark
    assert tone_difference(0.2 + 0.7 * photo, photo, 8).item() == pytest.approx(0.5, abs=5e-3)
    assert tone_difference(1 - photo, photo, 8).item() == pytest.approx(1.5, abs=5e-3)
    flat = torch.full_like(photo, 0.4)
    assert tone_difference(flat, photo, 8).item() == pytest.approx(1)
    strokes = photo + 0.2 * torch.tensor([1.0, -1.0]).repeat(16)  # within the cells
    assert tone_difference(strokes, photo, 8).item() == pytest.approx(0.5, abs=2e-2)


@pytest.mark.parametrize("size", [(1, 1), (3, 20), (64, 8)])
def test_tone_has_a_gradient_everywhere(size):
    photo = torch.rand(2, 3, *size, dtype=torch.double)
    for stylized in (torch.full_like(photo, 0.5), torch.rand_like(photo)):
        stylized.requires_grad_(True)
        tone_difference(stylized, photo, 8).backward()
        assert stylized.grad is not None
        assert torch.isfinite(stylized.grad).all()
    assert torch.autograd.gradcheck(
        lambda x: tone_difference(x, photo, 4),
        torch.rand_like(photo).requires_grad_(),
        fast_mode=True,  # along a random direction: one pixel after the other takes a minute
    )


def test_a_palette_does_not_depend_on_place_number_or_size():
    torch.manual_seed(0)
    colors = torch.rand(3, 400, dtype=torch.float64)
    pictures = [  # cells of 2×2 pixels, in any order
        colors[:, torch.randperm(400)]
        .reshape(1, 3, *shape)
        .repeat_interleave(2, 2)
        .repeat_interleave(2, 3)
        for shape in ((20, 20), (10, 40))
    ]
    alone = palette_of(pictures[0])
    assert alone.shape == (12, 256)
    assert torch.allclose(palette_of(pictures[1]), alone)
    assert torch.allclose(palette_of(pictures[0].repeat(3, 1, 1, 1)), alone, atol=1e-2)


def test_palettes_by_hand():
    """Of two grays a and b, half and half, the distance to c and d is known.

    It is ((a-c)² + (b-d)²) / 2 along gray, whichever stands where; the variance is ((c - d) / 2)².
    """
    halves = torch.ones(1, 3, 32, 32, dtype=torch.float64)
    ours, theirs = halves * 0.2, halves * 0.5
    ours[..., :16], theirs[..., 16:, :] = 0.8, 0.9
    palette = palette_of(theirs)
    expected = (0.3**2 + 0.1**2) / 2 / 0.2**2
    assert palette_difference(ours, palette).item() == pytest.approx(expected)
    assert palette_difference(theirs, palette).item() == 0
    one_color = halves * theirs.mean()
    assert palette_difference(one_color, palette).item() == pytest.approx(1)


def test_a_style_of_one_color_has_a_palette_too():
    flat = torch.full((1, 3, 16, 16), 0.5)
    assert palette_difference(flat, palette_of(flat)).item() == 0
    assert torch.isfinite(palette_difference(flat + 0.1, palette_of(flat)))


def test_a_palette_is_more_than_its_means_and_spreads():
    """Red and cyan are as bright and as varied as green and magenta, but others."""
    picture = torch.zeros(1, 3, 32, 32)
    picture[:, 0, :16], picture[:, 1:, 16:] = 1, 1
    other = picture.roll(1, dims=1)
    assert palette_difference(other, palette_of(picture)) > 0.1


def test_directions_are_evenly_spread():
    vectors = directions(12)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(12, dtype=torch.float64))
    angles = (vectors @ vectors.T).fill_diagonal_(0).abs().max()
    assert angles < 0.95  # no two are nearly the same, or opposite
    squares = vectors.T @ vectors / 12
    assert torch.allclose(squares, torch.eye(3, dtype=torch.float64) / 3, atol=0.04)


@given(st.integers(1, 700), st.sampled_from([1, 7, 256]))
def test_group_means_are_those_of_adaptive_pooling(size: int, groups: int) -> None:
    values = torch.rand(3, size, dtype=torch.float64, requires_grad=True)
    ours = group_means(values, groups)
    expected = F.adaptive_avg_pool1d(values[None], groups)[0]
    torch.testing.assert_close(ours, expected)
    weights = torch.rand_like(expected)
    found, wanted = (
        torch.autograd.grad((means * weights).sum(), values)[0] for means in (ours, expected)
    )
    torch.testing.assert_close(found, wanted)
