"""Real files of every odd kind, made by Pillow, as they come out of the reader."""

import io
import zlib
from pathlib import Path

import numpy as np
import PIL
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from fasttransfer.core.errors import FastTransferError
from fasttransfer.images.reading import Picture, open_rgb, read_picture

LIMIT = 1_000_000


def read(path: Path) -> Picture:
    return read_picture(path, max_pixels=LIMIT)


def pixel(picture: Picture, x: int = 0, y: int = 0) -> list[int]:
    return [round(v * 255) for v in picture.rgb[:, y, x].tolist()]


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tiff", ".bmp", ".jpg"])
def test_plain_rgb(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    options = {"lossless": True} if suffix == ".webp" else {}
    Image.new("RGB", (3, 2), (250, 128, 10)).save(path, **options)
    picture = read(path)
    assert picture.rgb.shape == (3, 2, 3)
    assert picture.rgb.dtype == torch.float32
    assert picture.rgb.is_contiguous()
    assert picture.alpha is None
    assert picture.notes == ()
    assert np.allclose(pixel(picture), (250, 128, 10), atol=3)


@pytest.mark.parametrize(
    ("mode", "color", "expected"),
    [
        ("L", 100, [100] * 3),
        ("1", 1, [255] * 3),
        ("P", 0, [0, 0, 0]),
        ("CMYK", (0, 255, 255, 0), [255, 0, 0]),
        pytest.param(
            *("YCbCr", (100, 128, 128), [100] * 3),
            marks=pytest.mark.skipif(
                int(PIL.__version__.split(".")[0]) < 13,
                reason="Pillow 12, the last for Python 3.10, finds its own file four bytes short",
            ),
        ),
        ("RGB", (1, 2, 3), [1, 2, 3]),
    ],
)
def test_modes(tmp_path: Path, mode: str, color: int, expected: list[int]) -> None:
    path = tmp_path / "a.tiff"
    image = Image.new(mode, (4, 3), color)
    if mode == "P":
        image.putpalette([0, 0, 0, 255, 255, 255])
    image.save(path)
    assert pixel(read(path)) == expected


def test_cmyk_jpeg(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(path, quality=100)
    assert np.allclose(pixel(read(path)), (255, 0, 0), atol=3)


def test_lab(tmp_path: Path) -> None:
    path = tmp_path / "a.tiff"
    Image.new("LAB", (4, 4), (255, 128, 128)).save(path)  # L* = 100, without color
    assert np.allclose(pixel(read(path)), (255, 255, 255), atol=2)


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    values = np.array([[0, 257, 25700, 65535]], dtype=np.uint16)
    for name in ("a.png", "a.tiff"):
        Image.fromarray(values).save(tmp_path / name)
        rgb = read(tmp_path / name).rgb
        assert (rgb[0, 0] * 255).round().tolist() == [0, 1, 100, 255]


def test_integers_and_floats(tmp_path: Path) -> None:
    path = tmp_path / "a.tiff"
    Image.fromarray(np.array([[0, 65535]], dtype=np.int32)).save(path)
    assert read(path).rgb[0, 0].tolist() == [0, 1]
    Image.fromarray(np.array([[0, 2**31 - 1]], dtype=np.int32)).save(path)
    assert read(path).rgb[0, 0].tolist() == [0, 1]
    for white in (1.0, 255.0, 65535.0):
        Image.fromarray(np.array([[-1, white, np.nan]], dtype=np.float32)).save(path)
        assert read(path).rgb[0, 0].tolist() == [0, 1, 0]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_kept(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGBA", (2, 1), (200, 200, 200, 255))
    image.putpixel((1, 0), (200, 200, 200, 51))
    image.convert(mode).save(tmp_path / "a.png")
    picture = read(tmp_path / "a.png")
    assert picture.alpha is not None
    assert picture.alpha.shape == (1, 1, 2)
    assert picture.alpha.flatten().tolist() == pytest.approx([1, 0.2])
    assert pixel(picture) == [200] * 3


def test_opaque_alpha_is_dropped(tmp_path: Path) -> None:
    Image.new("RGBA", (2, 2), (1, 2, 3, 255)).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png").alpha is None


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_one_transparent_color(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (2, 1))
    if mode == "P":
        image.putpalette([0, 0, 0, 255, 0, 0])
        image.putpixel((1, 0), 1)
    else:
        image.putpixel((1, 0), 255 if mode == "L" else (255, 0, 0))
    image.save(tmp_path / "a.png", transparency=(0, 0, 0) if mode == "RGB" else 0)
    picture = read(tmp_path / "a.png")
    assert picture.alpha is not None
    assert picture.alpha.flatten().tolist() == [0, 1]
    assert pixel(picture, x=1) == ([255] * 3 if mode == "L" else [255, 0, 0])


def test_exif_orientation(tmp_path: Path) -> None:
    image = Image.new("RGB", (32, 16), "black")
    image.paste("white", (0, 0, 16, 16))  # white on the left, which orientation 6 turns to the top
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=exif)
    rgb = read(tmp_path / "a.jpg").rgb
    assert rgb.shape == (3, 32, 16)
    assert rgb[:, :12].min() > 0.9
    assert rgb[:, 20:].max() < 0.1


def test_damaged_exif_does_not_cost_the_picture(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), "red").save(
        tmp_path / "a.jpg", exif=b"Exif\x00\x00II*\x00\xff\xff\xff"
    )
    assert read(tmp_path / "a.jpg").rgb.shape == (3, 8, 8)


def test_color_profile_is_converted(tmp_path: Path) -> None:
    # Lab as a profile of its own is no RGB; a gray profile on a gray picture is the usual case.
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (4, 4), (10, 99, 201)).save(tmp_path / "a.png", icc_profile=srgb)
    assert pixel(read(tmp_path / "a.png")) == [10, 99, 201]
    swapped = _swap_primaries(srgb)
    Image.new("RGB", (4, 4), (255, 0, 0)).save(tmp_path / "b.png", icc_profile=swapped)
    assert np.allclose(pixel(read(tmp_path / "b.png")), (0, 0, 255), atol=3)
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 51))
    image.save(tmp_path / "c.png", icc_profile=swapped)
    picture = read(tmp_path / "c.png")
    assert np.allclose(pixel(picture), (0, 0, 255), atol=3)
    assert picture.alpha is not None
    assert picture.alpha[0, 0, 0] == pytest.approx(0.2)


def _swap_primaries(profile: bytes) -> bytes:
    """An sRGB profile whose red is blue, under another name."""
    red, blue = profile.find(b"rXYZ"), profile.find(b"bXYZ")
    changed = bytearray(profile)
    changed[red : red + 4], changed[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(changed).replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))


def test_broken_color_profile_is_noted(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), (10, 99, 201)).save(tmp_path / "a.png", icc_profile=b"nonsense")
    picture = read(tmp_path / "a.png")
    assert pixel(picture) == [10, 99, 201]
    assert "profile" in picture.notes[0]


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.tiff"])
def test_first_frame(tmp_path: Path, name: str) -> None:
    first, second = Image.new("RGB", (4, 4), (255, 0, 0)), Image.new("RGB", (4, 4), (0, 0, 255))
    options = {"lossless": True} if name == "a.webp" else {}
    first.save(tmp_path / name, save_all=True, append_images=[second], **options)
    picture = read(tmp_path / name)
    assert np.allclose(pixel(picture), (255, 0, 0), atol=2)
    assert picture.notes == ("has 2 frames, of which the first is used",)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.gif", "a.tiff", "a.bmp"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_cut_short(tmp_path: Path, name: str, part: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(FastTransferError, match=name):
        read(tmp_path / name)


def test_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("hello, this is not a picture")
    for name, words in (("empty.jpg", "empty"), ("text.jpg", "not a picture"), ("no.jpg", "exist")):
        with pytest.raises(FastTransferError, match=rf"{name}.*{words}"):
            read(tmp_path / name)
    with pytest.raises(FastTransferError, match="cannot be opened"):
        read(tmp_path)


def test_wrong_ending_is_read_by_content(tmp_path: Path) -> None:
    Image.new("RGB", (2, 2), (1, 2, 3)).save(tmp_path / "a.jpg", format="PNG")
    assert pixel(read(tmp_path / "a.jpg")) == [1, 2, 3]


def test_limit_is_the_callers_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    Image.new("1", (3000, 3000)).save(path)
    with pytest.raises(FastTransferError, match="max_pixels"):
        read_picture(path, max_pixels=3000 * 3000 - 1)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)  # Pillow's limit for the whole process
    assert read_picture(path, max_pixels=3000 * 3000).rgb.shape == (3, 3000, 3000)


def test_bomb_is_refused_from_its_header(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("1", (8, 8)).save(buffer, "PNG")
    header = bytearray(buffer.getvalue())
    header[16:24] = (60_000).to_bytes(4, "big") * 2  # 3.6 thousand million pixels in a few bytes
    header[29:33] = zlib.crc32(header[12:29]).to_bytes(4, "big")
    (tmp_path / "bomb.png").write_bytes(header)
    with pytest.raises(FastTransferError, match="60000×60000"):
        read(tmp_path / "bomb.png")


def test_jpeg_is_decoded_smaller_but_never_too_small(tmp_path: Path) -> None:
    Image.new("RGB", (801, 403), (9, 9, 9)).save(tmp_path / "a.jpg")
    assert open_rgb(tmp_path / "a.jpg", max_pixels=LIMIT, min_side=100).size == (201, 101)
    assert open_rgb(tmp_path / "a.jpg", max_pixels=LIMIT, min_side=403).size == (801, 403)
    assert open_rgb(tmp_path / "a.jpg", max_pixels=LIMIT, min_side=5000).size == (801, 403)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.integers(1, 50),
    st.integers(1, 50),
    st.sampled_from(["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "I", "F", "I;16"]),
)
def test_any_size_and_mode(tmp_path: Path, width: int, height: int, mode: str) -> None:
    name = "a.tiff" if mode in ("CMYK", "I", "F", "PA") else "a.png"
    Image.new(mode, (width, height)).save(tmp_path / name)
    rgb = read(tmp_path / name).rgb
    assert rgb.shape == (3, height, width)
    assert rgb.min() >= 0
    assert rgb.max() <= 1
