"""Pictures to files; values that a person can compute."""

import io
import os
from pathlib import Path

import pytest
import torch
from PIL import Image

from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.files import write_whole
from fasttransfer.images.reading import Picture, open_rgb, read_picture
from fasttransfer.images.writing import WRITERS, write_picture

LIMIT = 1_000_000


def read(path: Path) -> Picture:
    return read_picture(path, max_pixels=LIMIT)


def pixel(picture: Picture) -> list[int]:
    return [round(v * 255) for v in picture.rgb[:, 0, 0].tolist()]


def test_transparent_becomes_white_where_alpha_has_no_place(tmp_path: Path) -> None:
    Image.new("RGBA", (2, 2), (0, 0, 0, 0)).save(tmp_path / "a.png")
    image = open_rgb(tmp_path / "a.png", max_pixels=LIMIT)
    assert image.mode == "RGB"
    assert image.getpixel((0, 0)) == (255, 255, 255)
    write_picture(tmp_path / "b.jpg", torch.zeros(3, 2, 2), torch.zeros(1, 2, 2), quality=100)
    assert pixel(read(tmp_path / "b.jpg")) == [255, 255, 255]


@pytest.mark.parametrize("suffix", sorted(WRITERS))
def test_every_format_is_written_and_read_again(tmp_path: Path, suffix: str) -> None:
    rgb = torch.full((3, 9, 7), 0.5)
    rgb[0] = 0.8
    write_picture(tmp_path / "new" / f"a{suffix.upper()}", rgb, None, quality=95)
    picture = read(tmp_path / "new" / f"a{suffix.upper()}")
    assert torch.allclose(picture.rgb, rgb, atol=0.02)
    assert os.listdir(tmp_path / "new") == [f"a{suffix.upper()}"]


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tiff"])
def test_alpha_is_written(tmp_path: Path, suffix: str) -> None:
    alpha = torch.full((1, 2, 2), 0.2)
    write_picture(tmp_path / f"a{suffix}", torch.rand(3, 2, 2), alpha, quality=90)
    written = read(tmp_path / f"a{suffix}").alpha
    assert written is not None
    assert torch.allclose(written, alpha, atol=0.01)


def test_unknown_ending_names_the_known_ones(tmp_path: Path) -> None:
    for name in ("a.xyz", "a"):
        with pytest.raises(FastTransferError, match=r"\.png .*\.jpg"):
            write_picture(tmp_path / name, torch.zeros(3, 1, 1), None, quality=90)


def test_nothing_half_written(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_text("old")

    def fail(file: io.BufferedWriter) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, fail)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_too_large_for_the_format_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FastTransferError, match=r"a\.webp cannot be written"):
        write_picture(tmp_path / "a.webp", torch.zeros(3, 1, 20_000), None, quality=90)
    assert os.listdir(tmp_path) == []
