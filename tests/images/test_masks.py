"""Masks of any kind of file, for a picture of any size."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fasttransfer.core.errors import FastTransferError
from fasttransfer.images.masks import Mask, gray_of, inverted, read_gray
from fasttransfer.images.regions import grid

SIZES = [(1, 1), (37, 53), (130, 201)]


def noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(width).random((height, width)) > 0.5
    return Image.fromarray(pixels.astype(np.uint8) * 255)


def half(width: int, height: int) -> np.ndarray:
    """Black on the left, white on the right."""
    pixels = np.zeros((height, width), np.uint8)
    pixels[:, width // 2 :] = 255
    return pixels


@pytest.mark.parametrize("feather", [0, 1, 2, 3, 10, 33])
def test_nothing_changes_outside_of_the_feather(feather: int) -> None:
    weights = Mask((Image.fromarray(half(100, 40)),), feather).at(40, 100)[0]
    assert (weights[:, : 50 - feather] == 0).all()
    assert (weights[:, 50 + feather :] == 1).all()
    inside = weights[:, 50 - feather : 50 + feather]
    assert feather == 0 or ((inside > 0) & (inside < 1)).any()
    assert (inside.diff(dim=1) >= 0).all()


@pytest.mark.parametrize("feather", [0, 2, 400])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_white_is_one_and_black_is_zero_at_any_size(height: int, width: int, feather: int) -> None:
    for value in (0, 255):
        weights = Mask((Image.new("L", (33, 11), value),), feather).at(height, width)
        assert weights.shape == (1, height, width)
        assert (weights == value / 255).all()


@pytest.mark.parametrize("feather", [0, 3, 50])
@pytest.mark.parametrize("size", [(201, 130), (20, 31), (640, 480)])
def test_a_region_has_the_weights_of_the_whole(size: tuple[int, int], feather: int) -> None:
    mask = Mask((noise(*size), noise(50, 50)), feather)
    whole = mask.at(130, 201)
    fitted = mask.fitted(130, 201)
    for region in grid(130, 201, 64):
        rows, columns = region.within(grid(130, 201, 300)[0])
        assert torch.equal(mask.at(130, 201, region), whole[:, rows, columns])
        assert torch.equal(fitted.at(130, 201, region), whole[:, rows, columns])


def test_layers_are_multiplied() -> None:
    layers = (Image.fromarray(half(8, 4)), Image.new("L", (3, 3), 51))
    weights = Mask(layers).at(4, 8)[0]
    assert (weights[:, :4] == 0).all()
    assert torch.allclose(weights[:, 4:], torch.tensor(0.2))


def test_every_kind_of_file(tmp_path: Path) -> None:
    expected = half(10, 6)
    gray = Image.fromarray(expected)
    deep = Image.fromarray(expected.astype(np.uint16) * 257)
    kinds = {
        "1.png": gray.convert("1"),
        "8.png": gray,
        "16.png": deep,
        "rgb.png": gray.convert("RGB"),
    }
    kinds |= {"palette.gif": gray.convert("P"), "gray.tif": deep, "photo.bmp": gray}
    for name, image in kinds.items():
        image.save(tmp_path / name)
        assert np.array_equal(read_gray(tmp_path / name, max_pixels=100), expected), name


def test_a_16_bit_mask_keeps_its_grays(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 257 * 64, 257 * 128]], np.uint16)).save(tmp_path / "m.png")
    assert np.asarray(read_gray(tmp_path / "m.png", max_pixels=9)).tolist() == [[0, 64, 128]]


def test_what_is_transparent_is_black(tmp_path: Path) -> None:
    image = Image.new("RGBA", (3, 1), "white")
    image.putalpha(Image.fromarray(np.array([[0, 128, 255]], np.uint8)))
    image.save(tmp_path / "mask.png")
    assert np.asarray(read_gray(tmp_path / "mask.png", max_pixels=9)).tolist() == [[0, 128, 255]]


def test_a_mask_is_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    Image.fromarray(half(8, 4)).save(tmp_path / "mask.png", exif=exif)
    mask = np.asarray(read_gray(tmp_path / "mask.png", max_pixels=99))
    assert np.array_equal(mask, np.rot90(half(8, 4), -1))


def test_tensors_and_inversion() -> None:
    layer = gray_of(torch.tensor([[[0.0, 0.5, 1.0, 2.0]]]))
    assert np.asarray(layer).tolist() == [[0, 128, 255, 255]]
    assert np.asarray(inverted(layer)).tolist() == [[255, 127, 0, 0]]


def test_other_proportions_are_noticed() -> None:
    mask = Mask((Image.new("L", (100, 50)),))
    assert not mask.is_stretched_in(250, 500)
    assert not mask.is_stretched_in(333, 667)
    assert mask.is_stretched_in(500, 250)


def test_what_is_no_picture_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_text("white")
    with pytest.raises(FastTransferError, match=r"mask\.png"):
        read_gray(tmp_path / "mask.png", max_pixels=9)
