"""What is missing at the end of a file: of a cut one, of joined ones, of streams of other lengths."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from fasttransfer.video.ending import is_cut_transport_stream
from fasttransfer.video.finishing import finish_video
from fasttransfer.video.reader import ClipReader
from fasttransfer.video.settings import VideoSettings
from tests.helpers.clips import make_clip, make_clip_with_longer_sound

SETTINGS = VideoSettings(codec="auto", crf=20, preset="auto", threads=1, queue=1)


def read(path: Path) -> tuple[int, str | None]:
    """How many frames come of a file, and what is said of its end."""
    with ClipReader(path, SETTINGS, 1_000_000) as reader:
        return len(list(reader)), reader.damage


@pytest.mark.parametrize(
    ("name", "parts", "options"),
    [
        ("clip.mkv", 3, {}),
        ("clip.webm", 4, {"codec": "libvpx-vp9"}),
        ("clip.mp4", 2, {"audio": "aac"}),
        ("clip.mov", 3, {}),
        ("clip.flv", 2, {"codec": "flv1", "time_base": Fraction(1, 10)}),
        ("clip.nut", 2, {}),
        ("clip.ivf", 2, {"codec": "libvpx-vp9"}),
        ("clip.wmv", 2, {"codec": "wmv2", "time_base": Fraction(1, 10)}),
        ("clip.avi", 3, {"codec": "mpeg4", "time_base": Fraction(1, 10)}),
        ("clip.ts", 3, {}),
        ("clip.mxf", 2, {"codec": "mpeg2video", "rate": 25, "time_base": Fraction(1, 25)}),
    ],
)
def test_no_part_of_joined_files_is_lost_silently(
    tmp_path: Path, name: str, parts: int, options: dict[str, Any]
) -> None:
    path = make_clip(tmp_path / name, **{"count": 10, "rate": 10} | options)
    assert read(path)[1] is None
    path.write_bytes(path.read_bytes() * parts)
    frames, damage = read(path)
    if frames < 10 * parts:
        assert damage is not None
        assert "to its end cannot be read" in damage
        assert "ended after" in damage


def test_what_follows_is_counted_in_seconds(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", count=10, rate=10)
    longer = make_clip(tmp_path / "longer.mp4", count=25, rate=10).read_bytes()
    path.write_bytes(path.read_bytes() + longer)
    assert str(read(path)[1]).startswith("ended after 1.00 of 3.50 s: a file that is joined")
    path.write_bytes(path.read_bytes()[: -len(longer) // 2])  # without its index
    assert str(read(path)[1]).startswith("ended after 1.00 of a longer file: a file that is joined")


@pytest.mark.parametrize(("name", "kind"), [("clip.mkv", "srt"), ("clip.mp4", "mov_text")])
@pytest.mark.parametrize("tagged", [True, False])
def test_subtitles_that_are_longer_are_no_damage(
    tmp_path: Path, name: str, kind: str, tagged: bool
) -> None:
    path = make_clip(tmp_path / name, count=4, rate=10, subtitles=kind)
    if not tagged:
        path.write_bytes(path.read_bytes().replace(b"DURATION", b"LENGTH__"))
    with av.open(str(path)) as container:
        assert container.duration is not None
        assert container.duration > 800_000  # microseconds
    assert read(path) == (4, None)


def test_sound_that_is_cut_behind_the_video(tmp_path: Path) -> None:
    both = make_clip_with_longer_sound(tmp_path / "both.mp4")
    finish_video(both, tmp_path / "first.mp4")
    assert read(tmp_path / "first.mp4") == (30, None)
    data = (tmp_path / "first.mp4").read_bytes()
    (tmp_path / "first.mp4").write_bytes(data[: len(data) * 2 // 3])
    frames, damage = read(tmp_path / "first.mp4")
    assert frames == 30
    assert str(damage).startswith("its sound ended after 1.")
    assert str(damage).endswith(" of 3.00 s")


@pytest.mark.parametrize("mode", ["0", "1"])  # packets of 188 bytes, or of 192 with a time
def test_a_transport_stream_that_is_cut(tmp_path: Path, mode: str) -> None:
    path = make_clip(tmp_path / "clip.ts", count=60, audio="aac")
    whole = tmp_path / "whole.ts"
    options = {"mpegts_m2ts_mode": mode}
    with av.open(str(path)) as source, av.open(str(whole), "w", options=options) as made:
        copies = {s.index: made.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream_index]
                made.mux(packet)
    data, length = whole.read_bytes(), 192 if mode == "1" else 188
    assert len(data) % length == 0
    assert not is_cut_transport_stream(whole)
    noticed = 0
    for number in range(40):
        end = len(data) // 2 + number * length
        path.write_bytes(data[: end - 50])
        assert is_cut_transport_stream(path)
        path.write_bytes(data[: end - end % length])
        noticed += is_cut_transport_stream(path)  # in the middle of a packet of sound
    assert 0 < noticed < 40
    path.write_bytes(data[: len(data) // length // 2 * length - 50])
    assert "cut off in the middle of a packet, after" in str(read(path)[1])


@pytest.mark.parametrize("data", [b"", b"G", b"G" * 187, bytes(5000), b"G" + bytes(300)])
def test_what_is_no_transport_stream_is_not_cut(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "clip.ts"
    path.write_bytes(data)
    assert not is_cut_transport_stream(path)
