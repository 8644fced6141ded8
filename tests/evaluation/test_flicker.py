import sys
import weakref

import numpy as np
import pytest
from PIL import Image

from fasttransfer.core.errors import FastTransferError
from fasttransfer.evaluation.flicker import (
    dense_inverse_search,
    follow,
    measure_flicker,
    motion,
    warping_error,
)
from tests.helpers.photos import make_photo


@pytest.fixture
def photo(tmp_path) -> np.ndarray:
    return np.array(Image.open(make_photo(tmp_path / "photo.png", 160, 120, seed=3)))


def pan(photo: np.ndarray, frames: int = 4) -> list[np.ndarray]:
    """A view of 128×96 that moves 3 pixels to the right and 1 down with every frame."""
    return [photo[10 + t : 106 + t, 4 + 3 * t : 132 + 3 * t] for t in range(frames)]


def test_following_a_flow_by_hand():
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    flow = np.zeros((3, 4, 2), np.float32)
    flow[..., 0] = 1
    moved, inside = follow(values, flow)
    assert moved[:, :3].tolist() == values[:, 1:].tolist()
    assert inside.tolist() == [[True, True, True, False]] * 3


def test_flow_of_a_pan(photo):
    before, now = pan(photo, 2)
    flow, visible = motion(now, before, dense_inverse_search())
    # What is at p now was 3 pixels to the right and 1 further down.
    assert np.abs(flow[8:-8, 8:-8] - (3, 1)).mean() < 0.1
    assert visible[8:-8, 8:-8].mean() > 0.95
    assert not visible[:, -2:].any()  # was not in the picture yet


def test_what_is_uncovered_does_not_count(photo):
    noise = np.random.default_rng(0).integers(0, 256, (96, 40, 3), np.uint8)
    before, now = photo[:96, :128].copy(), photo[:96, :128].copy()
    before[:, 40:80], now[:, 48:88] = noise, noise  # something moves 8 pixels to the right
    _, visible = motion(now, before, dense_inverse_search())
    assert visible[8:-8, 41:47].mean() < 0.5
    assert visible[8:-8, 100:].mean() > 0.95


def test_warping_error_by_hand():
    before, now = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8)
    now[0, 0] = 30
    flow, everywhere = np.zeros((4, 4, 2), np.float32), np.ones((4, 4), bool)
    assert warping_error(before, now, flow, everywhere) == 30 / 16
    elsewhere = everywhere.copy()
    elsewhere[0, 0] = False
    assert warping_error(before, now, flow, elsewhere) == 0


def test_flicker_is_what_does_not_move_along(photo):
    frames = pan(photo)
    inverted = [255 - frame for frame in frames]
    flickering = [frame // 2 + 60 * (t % 2) for t, frame in enumerate(frames)]
    stuck = [frame // 2 + photo[:96, :128] // 2 for frame in frames]  # a pattern on the lens
    same, other, jumping, standing = measure_flicker(frames, [frames, inverted, flickering, stuck])
    assert same.excess == 0
    assert other.stylized == pytest.approx(same.content, rel=0.01)
    assert jumping.stylized == pytest.approx(60, abs=2)
    assert standing.excess > 2
    assert jumping.content == same.content < 2


def test_cuts_do_not_count(photo):
    other = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    frames = pan(photo)
    [whole] = measure_flicker(frames, [frames])
    [cut] = measure_flicker([*frames, other], [[*frames, other]])
    assert cut == whole


def test_memory_does_not_grow_with_the_clip(photo):
    frames: list[weakref.ref] = []
    most = 0

    def stream():
        nonlocal most
        for _ in range(8):
            frame = photo[:96, :128].copy()
            frames.append(weakref.ref(frame))
            yield frame
            most = max(most, sum(frame() is not None for frame in frames))

    [flicker] = measure_flicker(stream(), [stream()])
    assert flicker.excess == flicker.content == 0
    assert most <= 3 * 2  # of each clip the pair and the one that comes


@pytest.mark.parametrize(
    ("content", "stylized", "message"),
    [
        ((40, 40, 3), (40, 41, 3), "40×40 and 41×40"),
        ((40, 20, 3), (40, 20, 3), "20×40 are too small"),
    ],
)
def test_frames_that_cannot_be_compared(content, stylized, message):
    with pytest.raises(FastTransferError, match=message):
        measure_flicker([np.zeros(content, np.uint8)] * 2, [[np.zeros(stylized, np.uint8)] * 2])


def test_other_numbers_of_frames(photo):
    frames = pan(photo)
    with pytest.raises(FastTransferError, match="1 of 2 clips go on"):
        measure_flicker(frames, [frames[:-1]])
    with pytest.raises(FastTransferError, match="No two neighboring frames"):
        measure_flicker(frames[:1], [frames[:1]])


def test_without_opencv(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(FastTransferError, match=r'pip install "fasttransfer\[flow\]"'):
        dense_inverse_search()
