"""Recordings that were joined follow each other, as in a player."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from fasttransfer.video.reader import ClipReader
from fasttransfer.video.settings import VideoSettings
from fasttransfer.video.writer import VideoWriter
from tests.helpers.clips import make_clip, packets, times_of

SETTINGS = VideoSettings(codec="auto", crf=20, preset="auto", threads=1, queue=2)


def copy(path: Path) -> Path:
    """The clip through the reader and the writer; nothing of it may be called damaged."""
    target = path.with_name("copy.mkv")
    with (
        ClipReader(path, SETTINGS, 10**6) as reader,
        VideoWriter(target, SETTINGS, like=reader.clip) as writer,
    ):
        for pixels, seconds, duration in reader:
            writer.write(pixels.copy(), seconds, duration)
        assert reader.damage is None
    return target


def join(target: Path, *clips: Path) -> Path:
    target.write_bytes(b"".join(clip.read_bytes() for clip in clips))
    return target


def steps(path: Path, kind: str = "video") -> list[float]:
    times = times_of(path) if kind == "video" else [time for time, _ in packets(path, kind)]
    return [float(b - a) for a, b in pairwise(times)]


def count(path: Path, kind: str) -> int:
    with av.open(str(path)) as container:
        streams = [stream for stream in container.streams if stream.type == kind]
        return sum(1 for packet in container.demux(streams) if packet.size) if streams else 0


@pytest.mark.parametrize(
    ("ending", "options"),
    [
        ("ts", {}),
        ("ts", {"audio": "aac"}),
        ("ts", {"audio": "mp2", "options": {"bf": "0"}}),
        ("mkv", {"audio": "aac", "subtitles": "subrip"}),
        ("webm", {"codec": "libvpx", "audio": "libopus"}),
    ],
)
def test_times_that_start_anew(tmp_path: Path, ending: str, options: dict[str, Any]) -> None:
    first = make_clip(tmp_path / f"a.{ending}", **options)
    second = make_clip(tmp_path / f"b.{ending}", count=20, **options)
    result = copy(join(tmp_path / f"joined.{ending}", first, second))
    assert len(times_of(result)) == 50
    assert all(0.03 < step < 0.08 for step in steps(result))
    for kind in ("audio", "subtitle"):
        there = count(first, kind) + count(second, kind)
        if there:
            assert count(result, kind) == there
            assert all(step > 0 for step in steps(result, kind))
    if "audio" in options:  # each part's sound begins with its picture
        sound = [float(time) for time, _ in packets(result, "audio")]
        assert abs(sound[-1] - float(times_of(result)[-1])) < 0.15


def test_times_that_go_on_hours_later(tmp_path: Path) -> None:
    first = make_clip(tmp_path / "a.ts", audio="aac")
    later = make_clip(tmp_path / "b.ts", times=[9000 + n / 30 for n in range(30)])
    result = copy(join(tmp_path / "joined.ts", first, later, first))
    assert len(times_of(result)) == 90
    assert all(0.03 < step < 0.08 for step in steps(result))
    assert count(result, "audio") == 2 * count(first, "audio")
    sound = [float(time) for time, _ in packets(result, "audio")]
    assert abs(sound[-1] - float(times_of(result)[-1])) < 0.15


@pytest.mark.parametrize("ending", ["ts", "mkv", "mp4"])
def test_a_gap_within_a_recording_stays(tmp_path: Path, ending: str) -> None:
    times = [0, 0.1, 0.2, 5, 5.1, 5.2, 5.3]
    clip = make_clip(tmp_path / f"a.{ending}", times=times)
    assert [round(step, 2) for step in steps(copy(clip))] == [0.1, 0.1, 4.8, 0.1, 0.1, 0.1]
