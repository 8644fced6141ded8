"""Files that are cut short: what is there is taken, and what is missing is measured."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fasttransfer.core.errors import FastTransferError
from fasttransfer.images.decoding import Decoded, InMemory, open_image

SIDE = 128
KINDS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 90},
    "PNG": {},
    "WEBP": {"quality": 90},
    "TIFF": {},
    "BMP": {},
    "PPM": {},
}


def noise(mode: str = "RGB") -> Image.Image:
    """Every row takes about as many bytes as any other, so half of a file is half of its picture."""
    values = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 4), dtype=np.uint8)
    return Image.fromarray(values, "RGBA").convert(mode)


def contents(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    noise(mode).save(file, kind, **(KINDS.get(kind, {}) | options))
    return file.getvalue()


def salvaged(cut: bytes, damaged_up_to: float = 1.0) -> Decoded:
    return open_image(InMemory("a", cut), max_pixels=10**6, damaged_up_to=damaged_up_to)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("part", [0.3, 0.5, 0.8])
def test_what_is_there_is_taken(kind: str, part: float) -> None:
    whole = contents(kind)
    cut = whole[: int(len(whole) * part)]
    with pytest.raises(FastTransferError, match="damaged or cut short"):
        salvaged(cut, damaged_up_to=0)
    with pytest.raises(FastTransferError, match=r"a is damaged or cut short.*damaged_up_to=0\.1"):
        salvaged(cut, damaged_up_to=0.1)
    found = salvaged(cut, damaged_up_to=1 - part + 0.15)
    assert found.damage is not None
    assert "its end is missing" in found.damage
    expected = np.asarray(salvaged(whole).image).astype(int)
    same = np.abs(np.asarray(found.image).astype(int) - expected).max(axis=(1, 2)) < 3
    if kind == "BMP":  # its last row is the first in the file
        same = same[::-1]
    rows = int(SIDE * (part - 0.2))
    assert same[:rows].all()
    assert not same[-int(SIDE * (0.9 - part)) :].all()


@pytest.mark.parametrize("lossless", [False, True])
def test_a_webp_may_be_cut_anywhere(lossless: bool) -> None:
    whole = contents("WEBP", lossless=lossless)
    for part in np.linspace(0.2, 0.99, 30):
        cut = whole[: int(len(whole) * part)]
        found = salvaged(cut)
        assert found.damage is not None
        rows = max(0, int(SIDE * (part - 0.15)) - 16)  # a block, which the loop filter smooths
        expected = np.asarray(salvaged(whole).image)
        assert np.array_equal(np.asarray(found.image)[:rows], expected[:rows])


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_its_last_bytes_is_the_same_picture(progressive: bool) -> None:
    whole = contents("JPEG", progressive=progressive)
    found = salvaged(whole[:-2], damaged_up_to=0.01)
    assert np.array_equal(np.asarray(found.image), np.asarray(salvaged(whole).image))
    assert found.damage is not None
    assert salvaged(whole).damage is None


def test_a_jpeg_may_lack_its_end_and_no_pixel() -> None:
    file = io.BytesIO()
    Image.linear_gradient("L").save(file, "JPEG")
    whole = file.getvalue()
    assert salvaged(whole[:-2]).damage == "its end is missing, but no pixel is"
    assert salvaged(whole + b"a clip" * 1000).damage is None
    assert salvaged(whole).damage is None


def test_a_progressive_jpeg_is_there_after_its_first_scan() -> None:
    whole = contents("JPEG", progressive=True)
    found = salvaged(whole[: len(whole) // 2])
    assert found.damage == "its end is missing, and with it fine detail"
    blurred = [
        np.asarray(i.resize((8, 8), Image.Resampling.BOX)).astype(int)
        for i in (found.image, noise())
    ]
    assert np.abs(blurred[0] - blurred[1]).max() < 12


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "I;16"])
def test_other_modes(mode: str) -> None:
    file = io.BytesIO()
    if mode == "I;16":
        Image.fromarray(np.asarray(noise("L")).astype(np.uint16) * 257).save(file, "PNG")
    else:
        noise(mode).save(file, "PNG")
    cut = file.getvalue()[: len(file.getvalue()) // 2]
    found, whole = (np.asarray(salvaged(data).image) for data in (cut, file.getvalue()))
    assert np.array_equal(found[: SIDE // 3], whole[: SIDE // 3])


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_cut_header_is_an_error(kind: str) -> None:
    for length in (3, 12, 20, 30):
        with pytest.raises(FastTransferError):
            salvaged(contents(kind)[:length], damaged_up_to=0.9)
