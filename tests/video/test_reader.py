"""What is missing of a file is said, and what is there is read."""

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from fasttransfer.video.finishing import finish_video
from fasttransfer.video.reader import ClipReader
from fasttransfer.video.settings import VideoSettings
from tests.helpers.clips import make_clip, make_clip_with_longer_sound

SETTINGS = VideoSettings(codec="auto", crf=20, preset="auto", threads=1, queue=2)
NOISY = {"crf": "0", "g": "1"}  # frames of about the same number of bytes


def read(path: Path) -> tuple[int, str | None]:
    with ClipReader(path, SETTINGS, 10**6) as reader:
        return sum(1 for _ in reader), reader.damage


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("clip.mkv", {}),
        ("sound.mkv", {"audio": "aac", "subtitles": "subrip"}),
        ("clip.webm", {"codec": "libvpx", "audio": "libopus", "time_base": Fraction(1, 30)}),
        ("clip.flv", {"codec": "flv1", "time_base": Fraction(1, 1000)}),
        ("clip.mp4", {}),
        ("sound.mov", {"audio": "aac"}),
    ],
)
def test_a_file_that_was_cut(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    encoding = NOISY if name.endswith(("mkv", "mp4", "mov")) else {}
    clip = make_clip(tmp_path / name, options=encoding, **options)
    if clip.suffix in (".mp4", ".mov"):  # with the index in front, without which nothing is left
        finish_video(clip, tmp_path / f"first{clip.suffix}")
        clip = tmp_path / f"first{clip.suffix}"
    assert read(clip) == (30, None)
    data = clip.read_bytes()
    cut = tmp_path / f"cut{clip.suffix}"
    cut.write_bytes(data[: len(data) * 2 // 3])
    frames, damage = read(cut)
    assert 1 < frames < 29
    assert f"ended after {frames} of 30 frames" in str(damage)


def test_a_variable_rate_is_counted_in_seconds(tmp_path: Path) -> None:
    times = [0.0, 1.0, 1.1, 1.2, 5.0, 9.0, 20.0, 40.0]
    clip = make_clip(tmp_path / "clip.mkv", times=times, options=NOISY)
    assert read(clip) == (8, None)
    data = clip.read_bytes()
    clip.write_bytes(data[: len(data) * 2 // 3])
    frames, damage = read(clip)
    assert 2 <= frames <= 6
    assert str(damage).startswith(f"ended after {times[frames - 1]:.0f}.")
    assert str(damage).endswith(" of 40.03 s")


def test_sound_that_is_longer_is_no_damage(tmp_path: Path) -> None:
    both = make_clip_with_longer_sound(tmp_path / "both.mkv")
    assert read(both) == (30, None)


def test_motion_jpeg_with_exif(tmp_path: Path) -> None:
    """Cameras write a turn into each frame; PyAV has no name for this kind of side data."""
    exif = Image.Exif()
    exif[0x0112] = 6
    with av.open(str(tmp_path / "clip.mov"), "w") as container:
        stream = container.add_stream("mjpeg", 10)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for number in range(3):
            photo = io.BytesIO()
            Image.new("RGB", (64, 48), (80 * number, 0, 0)).save(photo, "JPEG", exif=exif)
            packet = av.Packet(photo.getvalue())
            packet.pts = packet.dts = number
            packet.time_base, packet.stream, packet.is_keyframe = Fraction(1, 10), stream, True
            container.mux(packet)
    with ClipReader(tmp_path / "clip.mov", SETTINGS, 10**6) as reader:
        assert [int(pixels[..., 0].mean()) // 70 for pixels, _, _ in reader] == [0, 1, 2]
        matrix = reader.clip.display_matrix
    assert matrix in (None, (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30))
