"""Frames into a video file, as a camera's are recorded."""

import os
from pathlib import Path

import av
import numpy as np
import pytest

from fasttransfer.core.errors import FastTransferError
from fasttransfer.video.settings import VideoSettings
from fasttransfer.video.writer import VideoWriter

SETTINGS = VideoSettings(codec="auto", crf=18, preset="auto", threads=0, queue=4)


def frames(count: int, width: int = 64, height: int = 48) -> list[np.ndarray]:
    """Gray frames of a brightness that says which one it is."""
    return [np.full((height, width, 3), 20 + 15 * number, np.uint8) for number in range(count)]


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
def test_a_recording_keeps_its_times(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"camera{ending}"
    times = [0.0, 0.1, 0.25, 0.3, 1.0, 2.5]
    with VideoWriter(path, SETTINGS) as writer:
        for frame, seconds in zip(frames(6), times, strict=True):
            writer.write(frame, seconds, 0.5)
        assert not path.exists()
    with av.open(path) as container:
        read = list(container.decode(video=0))
    assert [frame.time for frame in read] == pytest.approx(times)
    levels = [frame.to_ndarray(format="rgb24").mean() for frame in read]
    assert levels == pytest.approx([20 + 15 * number for number in range(6)], abs=3)
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("error", [KeyboardInterrupt, FastTransferError])
def test_an_interrupted_recording_leaves_nothing(
    tmp_path: Path, error: type[BaseException]
) -> None:
    def interrupted() -> None:
        with VideoWriter(tmp_path / "camera.mp4", SETTINGS) as writer:
            for number, frame in enumerate(frames(10)):
                writer.write(frame, number / 30)
            raise error

    with pytest.raises(error):
        interrupted()
    assert os.listdir(tmp_path) == []


def test_no_frame_no_file(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "camera.mp4", SETTINGS):
        pass
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["crf", "threads", "queue"])
def test_settings_that_cannot_be_used_are_named(name: str) -> None:
    wrong = {"codec": "auto", "crf": 18, "preset": "auto", "threads": 0, "queue": 4} | {name: -1}
    with pytest.raises(FastTransferError, match=rf"video\.{name}=-1"):
        VideoSettings(**wrong)
