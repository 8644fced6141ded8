from math import log, pi

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from fasttransfer.core.errors import FastTransferError
from fasttransfer.evaluation.artifacts import border_contrast, checkerboard, droplets

LEVEL = 1 / 255
GRAY = torch.full((3, 128, 160), 0.5)
sides = st.integers(64, 200)


def noise(height: int, width: int, deviation: float, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.5 + deviation * torch.randn(3, height, width, generator=generator)


def strokes(height: int, width: int, seed: int = 0) -> Tensor:
    """A canvas full of short straight strokes with hard edges, in random colors."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.arange(height).float()[:, None]
    columns = torch.arange(width).float()
    canvas = torch.full((3, height, width), 0.5)
    for _ in range(height * width // 80):
        y, x, turn, length, thickness, *color = torch.rand(8, generator=generator).tolist()
        across, down = columns - x * width, rows - y * height
        cos, sin = torch.tensor(turn * pi).cos(), torch.tensor(turn * pi).sin()
        along, aside = across * cos + down * sin, down * cos - across * sin
        stroke = (along.abs() < 6 + 14 * length) & (aside.abs() < 1.5 + 2 * thickness)
        canvas = torch.where(stroke, torch.tensor(color)[:, None, None], canvas)
    return canvas


def grid(height: int, width: int, period: int, direction: str) -> Tensor:
    """Half a period brighter by 2 levels of 255, half a period darker."""
    down, across = (
        1 - 2 * ((torch.arange(n) % period) // (period // 2)).float() for n in (height, width)
    )
    pattern = {
        "horizontal": across.expand(height, -1),
        "vertical": down[:, None].expand(-1, width),
        "both": down[:, None] * across,
    }
    return 2 * LEVEL * pattern[direction]


def disc(picture: Tensor, radius: int, color: tuple[float, float, float]) -> Tensor:
    """With a disc of one color in the middle."""
    height, width = picture.shape[1:]
    down = torch.arange(height)[:, None] - height // 2
    across = torch.arange(width) - width // 2
    inside = down**2 + across**2 <= radius**2
    return torch.where(inside, torch.tensor(color)[:, None, None], picture)


def framed(picture: Tensor, inside: Tensor) -> Tensor:
    """``inside`` with the outermost 16 pixels of ``picture``."""
    return torch.cat(
        [
            picture[:, :16],
            torch.cat([picture[:, 16:-16, :16], inside, picture[:, 16:-16, -16:]], dim=2),
            picture[:, -16:],
        ],
        dim=1,
    )


@pytest.mark.parametrize("direction", ["horizontal", "vertical", "both"])
@pytest.mark.parametrize("period", [2, 4])
def test_a_faint_grid_is_seen_in_texture(period, direction):
    faint = grid(160, 192, period, direction)
    photo = noise(160, 192, 0.02)
    assert checkerboard(GRAY + faint[:128, :160], GRAY) > 1000
    assert checkerboard(noise(160, 192, 0.05, seed=1) + faint, photo) > 6
    painted = F.avg_pool2d(strokes(160, 192), 3, 1, 1)  # edges as soft as a network's
    assert checkerboard(painted + faint, photo) > 10
    assert checkerboard(painted, photo) < 2


def test_texture_and_edges_are_no_grid():
    photo = noise(160, 192, 0.02)
    for seed in range(3):
        assert checkerboard(strokes(160, 192, seed), photo) < 2
        assert checkerboard(noise(160, 192, 0.1, seed + 1), photo) < 2
    halves = torch.zeros(3, 128, 160)
    halves[:, :, 80:] = 1
    assert checkerboard(halves, GRAY) < 1.5
    threes = GRAY + 0.1 * (torch.arange(160) % 3 == 0)
    assert checkerboard(threes, GRAY) < 1.5


def test_a_grid_of_the_photo_is_not_held_against_the_picture():
    photo = noise(128, 160, 0.02) + grid(128, 160, 2, "both")
    assert checkerboard(photo, photo) == 1
    assert checkerboard(noise(128, 160, 0.02), photo) < 0.1
    twice = noise(128, 160, 0.02) + 2 * grid(128, 160, 2, "both")
    assert checkerboard(twice, photo) == pytest.approx(4, rel=0.1)  # power is amplitude squared


def test_a_spot_in_a_flat_area_is_counted():
    assert droplets(GRAY, GRAY) == 0
    spotted = disc(GRAY, radius=6, color=(0.9, 0.5, 0.1))
    area = pi * 6**2 / GRAY[0].numel()
    assert 0.8 * area < droplets(spotted, GRAY) < 2 * area  # the mean over 5×5 widens it
    noisy = noise(128, 160, 0.03)
    assert droplets(noisy, GRAY) == 0
    assert 0.8 * area < droplets(disc(noisy, 6, (0.9, 0.5, 0.1)), GRAY) < 2 * area
    assert droplets(disc(GRAY, 6, (0.51, 0.5, 0.49)), GRAY) == 0  # too faint to see


def test_what_is_not_flat_or_not_isolated_is_no_droplet():
    spotted = disc(GRAY, radius=6, color=(0.9, 0.5, 0.1))
    assert droplets(spotted, noise(128, 160, 0.1)) == 0
    assert droplets(spotted, spotted) == 0
    assert droplets(strokes(128, 160), GRAY) == 0
    half = GRAY.clone()
    half[:, :, 64:] = strokes(128, 160)[:, :, 64:]
    assert droplets(half, GRAY) < 0.02


def test_border_in_contrast_by_hand():
    photo = noise(256, 256, 0.1)
    dull = framed(0.5 + 0.5 * (photo - 0.5), photo[:, 16:-16, 16:-16])
    assert border_contrast(dull, photo) == pytest.approx(log(2), abs=0.1)
    lively = framed(0.5 + 2 * (photo - 0.5), photo[:, 16:-16, 16:-16])
    assert border_contrast(lively, photo) == pytest.approx(log(2), abs=0.1)
    # As in the photo, or like the rest of the picture: both are fine, and so is what is between.
    assert border_contrast(photo, dull) == pytest.approx(0, abs=0.02)
    assert border_contrast(1 - dull, dull) == pytest.approx(0, abs=0.02)


def test_border_in_color_by_hand():
    photo = noise(256, 256, 0.1)
    red = framed(photo + torch.tensor([0.2, 0, 0])[:, None, None], photo[:, 16:-16, 16:-16])
    # The spread is that of the noise in three colors and of a red that 23 % of the picture have.
    spread = (3 * 0.1**2 + 0.234 * 0.766 * 0.2**2) ** 0.5
    assert border_contrast(red, photo) == pytest.approx(0.2 / spread, abs=0.1)
    assert border_contrast(red, red) == 0


@settings(deadline=None, max_examples=12)
@given(sides, sides, st.integers(0, 9))
def test_a_photo_has_no_artifacts_of_its_own(height, width, seed):
    for photo in (noise(height, width, 0.1, seed), torch.zeros(3, height, width)):
        assert checkerboard(photo, photo) == 1
        assert droplets(photo, photo) == 0
        assert border_contrast(photo, photo) == 0


@settings(deadline=None, max_examples=12)
@given(sides, sides, st.integers(0, 9))
def test_every_size_is_measured(height, width, seed):
    photo, texture = noise(height, width, 0.01), noise(height, width, 0.03, seed + 1)
    assert 0.1 < checkerboard(texture, photo) < 10  # one window alone varies much
    assert checkerboard(texture + grid(height, width, 2, "both"), photo) > 15
    assert droplets(texture, photo) == 0
    assert droplets(disc(texture, 4, (0.9, 0.5, 0.1)), photo) > 0
    assert border_contrast(texture, photo) < 0.3
    brighter = framed(texture + 0.1, texture[:, 16:-16, 16:-16])
    assert border_contrast(brighter, photo) > 1


def test_too_small_and_different_sizes_are_refused():
    with pytest.raises(FastTransferError, match="64 pixels"):
        checkerboard(GRAY[:, :63], GRAY[:, :63])
    with pytest.raises(FastTransferError, match="got 160×128 and 100×128"):
        droplets(GRAY, GRAY[:, :, :100])
    with pytest.raises(FastTransferError, match="same size"):
        border_contrast(GRAY[:, :100], GRAY)
