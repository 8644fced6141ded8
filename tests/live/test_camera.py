"""Cameras, as far as there is one: the pattern, and files; for others the sentence."""

import os
import re
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from fasttransfer.core.errors import FastTransferError
from fasttransfer.live.camera import Pattern, open_camera
from fasttransfer.live.frames import shrunk
from tests.helpers.clips import make_clip
from tests.helpers.live import write_clip


def test_the_pattern_moves_and_is_colorful() -> None:
    pattern = Pattern(64, rate=1000)
    frames = [pattern.read(), pattern.read()]
    assert [frame.pixels.shape for frame in frames] == [(48, 64, 3)] * 2
    assert frames[0].captured < frames[1].captured <= time.perf_counter()
    later = [pattern.at(seconds).astype(int) for seconds in (0, 0.5, 7.5, 8)]
    assert all(picture.std() > 20 for picture in later)
    assert np.ptp(later[0], axis=2).mean() > 10  # not gray
    assert all(abs(a - b).mean() > 5 for a, b in pairwise(later))
    # No jump where one photo has faded into the next.
    assert abs(pattern.at(7.9999).astype(int) - pattern.at(8.0)).mean() < 2


def test_a_file_is_looped_at_its_own_rate(tmp_path: Path) -> None:
    times = [0.0, 0.02, 0.1]  # at no fixed rate
    clip = write_clip(tmp_path / "my clip (1).mp4", [20, 120, 220], times, (64, 48))
    began = time.perf_counter()
    camera = open_camera(f"camera:{clip}", size=32, rate=1)
    frames = [camera.read() for _ in range(7)]
    camera.close()
    assert {frame.pixels.shape for frame in frames} == {(24, 32, 3)}
    levels = [int(frame.pixels.mean()) for frame in frames]
    assert np.allclose(levels, [20, 120, 220, 20, 120, 220, 20], atol=4)
    # It may be late, never early; the last frame of a round lasts as long as the others, 0.05 s.
    assert frames[2].captured - began >= 0.1
    assert frames[6].captured - began >= 0.3


def test_a_file_is_shown_upright(tmp_path: Path) -> None:
    turn = [0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30]  # clockwise by 90°: a phone held upright
    frames = []
    for name, matrix in (("stored", None), ("turned", turn)):
        clip = make_clip(tmp_path / f"{name}.mp4", count=1, display_matrix=matrix)
        frames.append(open_camera(f"camera:{clip}", size=64, rate=1).read().pixels)
    assert frames[1].shape == (64, 48, 3)
    assert np.array_equal(np.rot90(frames[0], -1), frames[1])


def test_a_file_that_vanishes_is_reported(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [20, 120], [0.0, 0.01], (32, 32))
    camera = open_camera(f"camera:{clip}", size=32, rate=1)
    clip.unlink()
    camera.read()
    camera.read()
    with pytest.raises(FastTransferError, match=r"clip\.mp4 does not exist"):
        camera.read()


@pytest.mark.parametrize("name", ["nowhere.mp4", "sound.txt", "."])
def test_what_is_no_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sound.txt").write_text("no video")
    with pytest.raises(FastTransferError, match=f"^{re.escape(name)} (does not|is no|cannot)"):
        open_camera(f"camera:{name}", size=32, rate=1)


def test_a_camera_that_is_not_there() -> None:
    with pytest.raises(FastTransferError) as refused:
        open_camera("camera:61", size=32, rate=30)
    assert "camera 61" in str(refused.value)
    assert "input=camera:pattern" in str(refused.value)


@pytest.mark.skipif(sys.platform != "linux", reason="cameras are files on Linux only")
def test_a_camera_without_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    # A real camera is not at hand; /dev/video61 is said to be there and closed to us.
    monkeypatch.setattr(Path, "exists", lambda path: str(path) == "/dev/video61")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(FastTransferError, match="permission denied for /dev/video61"):
        open_camera("camera:61", size=32, rate=30)


def test_shrunk() -> None:
    pixels = np.zeros((90, 120, 3), np.uint8)
    assert shrunk(pixels, 120) is pixels
    assert shrunk(pixels, 60).shape == (45, 60, 3)
    assert shrunk(np.zeros((1, 1000, 3), np.uint8), 100).shape == (1, 100, 3)
