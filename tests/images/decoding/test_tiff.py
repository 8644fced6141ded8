"""The full picture of files that begin with a thumbnail, and raw files."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fasttransfer.images.decoding import InMemory, open_image, read_size
from tests.helpers.tiffs import linked_directories

LIMIT = 1_000_000
RED, BLUE = (250, 20, 10), (10, 20, 250)


def rgb(
    size: tuple[int, int], color: tuple[int, int, int], **tags: Any
) -> tuple[dict[int, Any], bytes]:
    entries: dict[int, Any] = {256: size[0], 257: size[1], 258: (8, 8, 8), 259: 1, 262: 2, 277: 3}
    return entries | {int(k[1:]): v for k, v in tags.items()}, bytes(color) * (size[0] * size[1])


def opened(contents: bytes) -> Image.Image:
    assert read_size(InMemory("a", contents), max_pixels=LIMIT) == (60, 40)
    found = open_image(InMemory("a", contents), max_pixels=LIMIT)
    assert found.notes == ()
    return found.image


def test_the_child_of_a_thumbnail_is_the_picture() -> None:
    thumbnail, picture = rgb((15, 10), BLUE, t254=1), rgb((60, 40), RED, t254=0)
    preview = rgb((30, 20), BLUE, t254=1)
    image = opened(linked_directories(thumbnail, children=[preview, picture]))
    assert image.size == (60, 40)
    assert image.getpixel((9, 9)) == RED


def test_the_page_behind_a_thumbnail_is_the_picture() -> None:
    thumbnail, picture = rgb((15, 10), BLUE, t254=1), rgb((60, 40), RED, t254=0)
    mask = rgb((90, 60), BLUE, t254=4)
    image = opened(linked_directories(thumbnail, mask, picture))
    assert image.getpixel((9, 9)) == RED


def test_smaller_copies_behind_the_picture_are_no_frames() -> None:
    picture, smaller = rgb((60, 40), RED), rgb((30, 20), BLUE, t254=1)
    assert opened(linked_directories(picture, smaller, smaller)).getpixel((9, 9)) == RED


def test_raw_files_are_developed(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    sensor = np.zeros((40, 60), np.uint16)
    sensor[0::2, 0::2] = 12_000  # red
    sensor[0::2, 1::2] = sensor[1::2, 0::2] = 6_000  # green
    sensor[1::2, 1::2] = 1_000  # blue
    raw = {
        254: 0,
        256: 60,
        257: 40,
        258: 16,
        259: 1,
        262: 32803,
        277: 1,
        33421: (2, 2),
        33422: bytes([0, 1, 1, 2]),
        50714: 0,
        50717: 16_000,
    }
    matrix = [3.24, -1.54, -0.50, -0.97, 1.88, 0.04, 0.06, -0.20, 1.06]  # XYZ to linear sRGB
    camera = b"".join(struct.pack("<ii", round(value * 100), 100) for value in matrix)
    about = {50706: bytes([1, 4, 0, 0]), 50708: "Test", 50721: (10, 9, camera), 50778: 21}
    neutral = {50728: (5, 3, struct.pack("<6I", 1, 1, 1, 1, 1, 1))}
    entries, thumbnail = rgb((15, 10), BLUE, t254=1)
    first = (entries | about | neutral, thumbnail)
    (tmp_path / "a.dng").write_bytes(linked_directories(first, children=[(raw, sensor.tobytes())]))
    assert read_size(tmp_path / "a.dng", max_pixels=LIMIT) == (60, 40)
    image = open_image(tmp_path / "a.dng", max_pixels=LIMIT).image
    assert image.size == (60, 40)
    red, green, blue = image.getpixel((30, 20))
    assert red > green + 20 > blue + 60
    half = open_image(tmp_path / "a.dng", max_pixels=LIMIT, min_side=20).image
    assert half.size == (30, 20)


def test_sixteen_bits_of_which_zero_is_white() -> None:
    entries = {256: 60, 257: 40, 258: 16, 259: 1, 262: 0, 277: 1}
    values = np.full((40, 60), 65535 - 51 * 257, np.uint16)
    assert opened(linked_directories((entries, values.tobytes()))).getpixel((9, 9)) == (51, 51, 51)
