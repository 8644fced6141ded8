"""Pictures to tensors and back, and to files; values that a person can compute."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.files import write_whole
from fasttransfer.images.reading import Picture, open_rgb, read_picture
from fasttransfer.images.tensors import from_bytes, keep_colors, resize, to_bytes, to_pil, to_tensor
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


def test_eight_bits_are_rounded_and_clamped() -> None:
    values = torch.tensor([-1.0, 0.49 / 255, 0.51 / 255, 1.0 - 0.4 / 255, 2.0])
    image = to_pil(values.expand(3, 1, 5))
    assert [image.getpixel((x, 0))[0] for x in range(5)] == [0, 0, 1, 255, 255]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(["RGB", "RGBA", "L"]))
def test_tensor_and_back_is_the_same(width: int, height: int, mode: str) -> None:
    size = (height, width, len(mode)) if mode != "L" else (height, width)
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8))
    tensor = to_tensor(image)
    assert tensor.shape == (len(mode), height, width)
    if mode != "L":
        assert to_pil(tensor).tobytes() == image.tobytes()


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


def test_too_large_for_the_format_is_told(tmp_path: Path) -> None:
    with pytest.raises(FastTransferError, match=r"a\.webp cannot be written"):
        write_picture(tmp_path / "a.webp", torch.zeros(3, 1, 20_000), None, quality=90)
    assert os.listdir(tmp_path) == []


def test_resize() -> None:
    assert resize(torch.rand(3, 100, 50), 20).shape == (3, 20, 10)
    assert resize(torch.rand(2, 3, 10, 20), 40).shape == (2, 3, 20, 40)
    assert resize(torch.rand(3, 1, 500), 5).shape == (3, 1, 5)
    same = torch.rand(3, 8, 4)
    assert resize(same, 8) is same
    stripes = torch.tensor([0.0, 1.0]).repeat(3, 64, 32)  # finest stripes: antialiasing makes grey
    assert torch.allclose(resize(stripes, 16)[..., 2:-2], torch.tensor(0.5), atol=0.02)


def test_alpha_follows_the_size() -> None:
    picture = Picture(torch.rand(3, 8, 8), torch.full((1, 8, 8), 0.3))
    alpha = picture.with_rgb(torch.rand(3, 4, 4)).alpha
    assert alpha is not None
    assert torch.allclose(alpha, torch.full((1, 4, 4), 0.3))


def test_keep_colours() -> None:
    content = torch.tensor([0.5, 0.3, 0.2]).view(3, 1, 1)
    grey = torch.full((3, 1, 1), 0.4)
    luma = 0.299 * 0.5 + 0.587 * 0.3 + 0.114 * 0.2
    kept = keep_colors(grey, content)
    assert torch.allclose(kept, content + (0.4 - luma))
    assert torch.allclose(keep_colors(content, content), content)
    assert keep_colors(torch.ones(2, 3, 1, 1), content.expand(2, 3, 1, 1)).max() <= 1


def test_frames_become_photos_and_back() -> None:
    frames = torch.arange(2 * 3 * 4 * 3, dtype=torch.uint8).reshape(2, 3, 4, 3)
    photos = from_bytes(frames)
    assert photos.shape == (2, 3, 3, 4)
    assert photos[1, 2, 0, 3] == frames[1, 0, 3, 2] / 255
    assert torch.equal(to_bytes(photos), frames)


def test_bytes_are_clamped_and_rounded() -> None:
    photo = torch.tensor([-0.2, 0.4 / 255, 0.6 / 255, 1.3]).reshape(1, 1, 1, 4)
    assert to_bytes(photo).flatten().tolist() == [0, 0, 1, 255]
