"""What a session makes of its frames: the choice of the page, steady or not."""

import numpy as np
import pytest

from fasttransfer.core.errors import FastTransferError
from fasttransfer.live.painter import Painter
from fasttransfer.live.settings import SessionSettings
from tests.helpers.live import MEDIA, SETTINGS, stylizers

CAMERA = "camera:pattern"


def frames(count: int) -> list[np.ndarray]:
    """A picture with noise of its own in each."""
    noise = np.random.default_rng(0)
    picture = np.kron(noise.uniform(0, 255, (12, 16, 3)), np.ones((8, 8, 1)))
    noisy = [picture + noise.normal(0, 4, picture.shape) for _ in range(count)]
    return [one.clip(0, 255).astype(np.uint8) for one in noisy]


def test_a_steady_painter_flickers_less() -> None:
    wood, _ = stylizers("wood", "ink")
    paint = Painter(1.0)
    shown = [paint(frame, number / 30, wood, CAMERA) for number, frame in enumerate(frames(3))]
    alone = [wood.frame(frame) for frame in frames(3)]
    assert np.array_equal(shown[0], alone[0])
    changes = [np.abs(kind[2].astype(int) - kind[1]).mean() for kind in (shown, alone)]
    assert changes[0] < changes[1] / 2


def test_another_style_starts_anew_and_strength_keeps_the_photo() -> None:
    wood, ink = stylizers("wood", "ink")
    paint = Painter(1.0)
    first, second, third = frames(3)
    paint(first, 0.0, wood, CAMERA)
    assert np.array_equal(paint(second, 0.03, ink, CAMERA), ink.frame(second))
    assert not np.array_equal(paint(third, 0.06, ink, CAMERA), ink.frame(third))
    photo = ink.with_settings(strength=0.0)
    assert np.array_equal(paint(third, 0.09, photo, CAMERA), third)


def test_a_painter_that_is_not_steady_paints_each_frame_by_itself() -> None:
    wood, _ = stylizers("wood", "ink")
    paint = Painter(0.0)
    for number, frame in enumerate(frames(2)):
        assert np.array_equal(paint(frame, number / 30, wood, CAMERA), wood.frame(frame))


@pytest.mark.parametrize("steady", [-0.1, 1.1, "on"])
def test_how_steady_is_checked(steady: object) -> None:
    with pytest.raises(FastTransferError, match=r"live\.steady="):
        SessionSettings(64, 30, 85, 1.0, 10**9, SETTINGS, MEDIA, steady=steady)  # type: ignore[arg-type]
