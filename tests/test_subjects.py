from PIL import Image
from rich.console import Console

from fasttransfer.subjects import different, read_photos


def test_photos_are_made_smaller_but_not_larger_which_is_told(tmp_path):
    large, small, broken = (tmp_path / name for name in ("large.png", "small.png", "broken.png"))
    Image.new("RGB", (80, 50)).save(large)
    Image.new("RGB", (20, 30)).save(small)
    broken.write_bytes(b"nothing")
    console = Console(record=True, width=300)
    contents = read_photos([large, small, broken], 40, 10**6, console)
    assert {name: photo.shape for name, photo in contents.items()} == {
        "large": (3, 25, 40),
        "small": (3, 30, 20),
    }
    one, other = console.export_text().splitlines()
    assert one == f"{small} has 30 pixels, not 40, and stays as it is"
    assert other.startswith("left out: ")


def test_names_that_are_taken_get_a_number():
    assert different("a", ["b"]) == "a"
    assert different("a", ["a"]) == "a-2"
    assert different("a", ["a", "a-2"]) == "a-3"
