import pytest
from PIL import Image
from rich.console import Console

from fasttransfer.evaluation.photos_and_clips import different, read_clips, read_photos
from fasttransfer.video.settings import VideoSettings
from tests.helpers.clips import make_clip


def test_photos_are_made_smaller_but_not_larger(tmp_path):
    names = ("large.png", "small.png", "narrow.png", "broken.png")
    large, small, narrow, broken = (tmp_path / name for name in names)
    Image.new("RGB", (80, 50)).save(large)
    Image.new("RGB", (80, 14)).save(narrow)
    Image.new("RGB", (20, 30)).save(small)
    broken.write_bytes(b"nothing")
    console = Console(record=True, width=300)
    contents = read_photos([large, small, narrow, broken], 40, 10**6, console)
    assert {name: photo.shape for name, photo in contents.items()} == {
        "large": (3, 25, 40),
        "small": (3, 30, 20),
    }
    one, two, other = console.export_text().splitlines()
    assert two.startswith(
        f"left out: {narrow} has 80×14 pixels; at a longer side of 40, scores require a shorter"
    )
    assert one == f"{small} is not enlarged: its longer side is 30, not 40"
    assert other.startswith("left out: ")


def test_what_is_transparent_becomes_white(tmp_path):
    Image.new("RGBA", (20, 20), (255, 0, 255, 51)).save(tmp_path / "glass.png")
    [photo] = read_photos([tmp_path / "glass.png"], 20, 10**6, Console()).values()
    assert photo[:, 5, 5].tolist() == pytest.approx([1, 0.8, 1])


def test_clips_too(tmp_path):
    clip, broken = tmp_path / "clip.mp4", tmp_path / "broken.mp4"
    make_clip(clip, count=5, width=64, height=48)
    broken.write_bytes(b"nothing")
    settings = VideoSettings(codec="auto", crf=20, preset="auto", threads=1, queue=2)
    for size, shape, told in ((32, (24, 32, 3), 1), (80, (48, 64, 3), 2)):
        console = Console(record=True, width=300)
        players = read_clips([clip, broken], size, 3, 10**6, settings, console)
        assert [frame.shape for frame in players["clip (video)"]()] == 3 * [shape]
        lines = console.export_text().splitlines()
        assert len(lines) == told
        assert lines[-1].startswith("left out: ")
    assert lines[0] == f"{clip} is not enlarged: its longer side is 64, not 80"


def test_names_that_are_taken_get_a_number():
    assert different("a", ["b"]) == "a"
    assert different("a", ["a"]) == "a-2"
    assert different("a", ["a", "a-2"]) == "a-3"
