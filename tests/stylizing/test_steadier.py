"""Steady clips, by networks whose frames are known: exact where that can be computed by hand."""

import sys
from collections.abc import Callable, Iterable
from itertools import pairwise

import cv2
import numpy as np
import pytest

from fasttransfer.core.errors import FastTransferError
from fasttransfer.stylizing.settings import SteadySettings
from fasttransfer.stylizing.steadier import Steadier

SETTINGS = SteadySettings()


def texture(seed: int = 0, side: int = 400) -> np.ndarray:
    """A picture (side, side, 3) with something to follow everywhere."""
    noise = np.random.default_rng(seed).uniform(0, 255, (side, side, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 4)
    return np.clip((soft - 127) * 8 + 127, 0, 255).astype(np.uint8)


def boiling() -> Callable[[np.ndarray], np.ndarray]:
    """A network that paints the same, and other strokes over it in each frame."""
    strokes = np.random.default_rng(1)

    def stylize(frame: np.ndarray) -> np.ndarray:
        painted = frame + strokes.normal(0, 30, frame.shape)
        return np.asarray(painted.clip(0, 255).astype(np.uint8))

    return stylize


def steadied(
    frames: Iterable[np.ndarray],
    stylize: Callable[[np.ndarray], np.ndarray],
    amount: float = 1.0,
    step: float = 0.04,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The steadied frames, and the network's own."""
    own: list[np.ndarray] = []

    def noted(frame: np.ndarray) -> np.ndarray:
        own.append(stylize(frame))
        return own[-1]

    steadier = Steadier(SETTINGS, amount)
    return [steadier(frame, number * step, noted) for number, frame in enumerate(frames)], own


def panned(frames: int, pixels: int) -> list[np.ndarray]:
    """A view of 192×256 that moves to the right."""
    photo = texture()
    moves = range(0, frames * pixels, pixels)
    return [np.ascontiguousarray(photo[:192, left : left + 256]) for left in moves]


def test_a_still_clip_stays_still() -> None:
    shown, own = steadied([texture(side=128)] * 6, boiling())
    assert np.array_equal(shown[0], own[0])
    changes = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(shown)]
    boils = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(own)]
    assert max(changes) < 1 < 20 < min(boils)


def test_strokes_of_a_pan_move_with_it() -> None:
    shown, own = steadied(panned(5, 4), boiling())
    inner = slice(16, -16)
    moved = own[0][inner, 16 + 16 : -16].astype(int)  # 4 frames of 4 pixels
    assert np.abs(shown[4][inner, 16:-32] - moved).mean() < 6  # of 27 that the strokes differ by
    assert np.abs(own[4][inner, 16:-32] - moved).mean() > 20


def test_what_comes_into_the_picture_is_the_networks() -> None:
    shown, own = steadied(panned(2, 8), boiling())
    assert np.array_equal(shown[1][:, -8:], own[1][:, -8:])
    assert not np.array_equal(shown[1][:, 16:-16], own[1][:, 16:-16])


def test_what_was_hidden_is_the_networks() -> None:
    """A gray square moves over a texture by 16 pixels, and uncovers a stripe of it."""
    frames = []
    for left in (100, 116):
        frame = texture(side=256)
        frame[80:176, left : left + 96] = texture(9, 96)
        frames.append(frame)
    shown, own = steadied(frames, boiling())
    same = (shown[1] == own[1]).all(-1)
    assert same[90:166, 102:114].all()
    assert same[:60].mean() < 0.1


def test_a_cut_starts_anew() -> None:
    shown, own = steadied([texture(0, 128)] * 2 + [texture(5, 128)] * 2, boiling())
    assert not np.array_equal(shown[1], own[1])
    assert np.array_equal(shown[2], own[2])
    assert not np.array_equal(shown[3], own[3])


@pytest.mark.parametrize("step", [0.6, -0.04])
def test_a_gap_in_time_starts_anew(step: float) -> None:
    shown, own = steadied([texture(side=128)] * 3, boiling(), step=step)
    for result, alone in zip(shown, own, strict=True):
        assert np.array_equal(result, alone)


def test_another_size_and_another_clip_start_anew() -> None:
    steadier, network, alone = Steadier(SETTINGS), boiling(), boiling()
    frame, other = texture(side=128), texture(side=96)
    assert np.array_equal(steadier(frame, 0.0, network), alone(frame))
    assert np.array_equal(steadier(other, 0.04, network), alone(other))
    steadier.restart()
    assert np.array_equal(steadier(other, 0.08, network), alone(other))


def test_half_as_steady_is_halfway_to_the_networks_own() -> None:
    frames = [texture(side=128)] * 3
    full, own = steadied(frames, boiling())
    half, _ = steadied(frames, boiling(), amount=0.5)
    middle = (full[2].astype(float) + own[2]) / 2
    assert np.abs(half[2] - middle).max() <= 1


def test_detail_is_kept_while_keys_fade() -> None:
    def detail(frame: np.ndarray) -> float:
        return float(np.abs(np.diff(frame.astype(int), axis=1)).mean())

    shown, own = steadied(panned(40, 1), boiling())
    for result, alone in zip(shown, own, strict=True):
        assert detail(result) > 0.85 * detail(alone)


@pytest.mark.parametrize("shape", [(1, 1), (17, 301), (75, 33)])
def test_any_size_is_possible_also_of_the_result(shape: tuple[int, int]) -> None:
    frame = np.ascontiguousarray(texture()[: shape[0], : shape[1]])
    shown, _ = steadied([frame] * 3, lambda pixels: pixels.repeat(2, 0).repeat(2, 1))
    assert [s.shape for s in shown] == [(2 * shape[0], 2 * shape[1], 3)] * 3
    assert np.array_equal(shown[2], shown[0])


def test_the_same_clip_gives_the_same_bytes() -> None:
    once, _ = steadied(panned(4, 3), boiling())
    again, _ = steadied(panned(4, 3), boiling())
    assert np.array_equal(once, again)


def test_after_an_error_the_clip_starts_anew() -> None:
    frame, calls = texture(side=128), [0]
    network = boiling()

    def fails_once(pixels: np.ndarray) -> np.ndarray:
        calls[0] += 1
        if calls[0] == 2:
            raise FastTransferError("no memory")
        return network(pixels)

    alone = boiling()
    steadier = Steadier(SETTINGS)
    assert np.array_equal(steadier(frame, 0.0, fails_once), alone(frame))
    with pytest.raises(FastTransferError, match="no memory"):
        steadier(frame, 0.04, fails_once)
    assert np.array_equal(steadier(frame, 0.08, fails_once), alone(frame))


def test_without_opencv_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(FastTransferError, match=r"steady=.*fasttransfer\[video\]"):
        Steadier(SETTINGS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 1.1},
        {"amount": True},
        {"amount": "on"},
        {"key_seconds": -1},
        {"fade_seconds": "a"},
    ],
)
def test_settings_that_cannot_be_used(wrong: dict[str, object]) -> None:
    with pytest.raises(FastTransferError, match=r"must be a number"):
        SteadySettings(**wrong)  # type: ignore[arg-type]
