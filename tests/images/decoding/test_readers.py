"""Both readers, Pillow and libvips, on many kinds of files whose right pixels are known.

Each file is made from a smooth picture in a known way, so the right result is computed and not read.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from fasttransfer.images.decoding import open_image
from fasttransfer.images.decoding.vips import open_by_vips, vips_loader
from tests.helpers.tiffs import linked_directories

HEIGHT, WIDTH = 48, 64
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH]
# Soft colors, which every color space has.
RGB = np.stack([90 + X, 100 + Y, 180 - X // 2 - Y // 2], axis=-1).astype(np.uint8)
GRAY = RGB[..., 0]
ALPHA = (40 + 3 * X).astype(np.uint8)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

Made = tuple[np.ndarray, np.ndarray | None]
KINDS: dict[str, Callable[[Path], Made]] = {}


def kind(name: str, mode: str, right: np.ndarray, alpha: Any = None, **options: Any) -> None:
    """A file that Pillow writes."""

    def make(path: Path) -> Made:
        pixels = {
            "L": GRAY,
            "RGB": RGB,
            "RGBA": np.dstack([RGB, ALPHA]),
            "LA": np.dstack([GRAY, ALPHA]),
        }
        if mode == "I;16":
            image = Image.fromarray(GRAY.astype(np.uint16) * 257)
        elif mode in pixels:
            image = Image.fromarray(pixels[mode])
        else:
            image = Image.fromarray(RGB).convert(mode)
        image.save(path, **options)
        return right, alpha

    KINDS[name] = make


def three(gray: np.ndarray) -> np.ndarray:
    return np.repeat(gray[..., None], 3, axis=-1)


def vips() -> Any:
    return pytest.importorskip("pyvips")


def by_vips(
    name: str,
    values: np.ndarray,
    right: np.ndarray,
    interpretation: str,
    alpha: Any = None,
    **options: Any,
) -> None:
    """A file that libvips writes."""

    def make(path: Path) -> Made:
        image = vips().Image.new_from_array(values).copy(interpretation=interpretation)
        image.write_to_file(str(path), **options)
        return right, alpha

    KINDS[name] = make


for ending in ("png", "tif", "webp", "jpg"):
    best: dict[str, Any] = {"webp": {"lossless": True}, "jpg": {"quality": 98}}.get(ending, {})
    kind(f"rgb.{ending}", "RGB", RGB, **best)
    kind(f"profile.{ending}", "RGB", RGB, icc_profile=SRGB, **best)
    kind(f"broken_profile.{ending}", "RGB", RGB, icc_profile=b"nonsense" * 40, **best)
    if ending != "webp":
        kind(f"gray.{ending}", "L", three(GRAY), **best)
    if ending != "jpg":
        kind(f"rgba.{ending}", "RGBA", RGB, ALPHA, **best, **({"exact": True} if best else {}))
for ending in ("png", "tif"):
    kind(f"gray_alpha.{ending}", "LA", three(GRAY), ALPHA)
    kind(f"sixteen.{ending}", "I;16", three(GRAY))
    kind(
        f"bilevel.{ending}",
        "1",
        three(np.asarray(Image.fromarray(RGB).convert("1")) * np.uint8(255)),
    )
    kind(f"palette.{ending}", "P", np.asarray(Image.fromarray(RGB).convert("P").convert("RGB")))
for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
    options = {"quality": 98} if compression == "jpeg" else {}
    kind(f"{compression}.tif", "RGB", RGB, compression=compression, **options)
kind("progressive.jpg", "RGB", RGB, progressive=True, quality=98)
kind("cmyk.tif", "CMYK", RGB)
kind("cmyk.jpg", "CMYK", RGB, quality=98)
WIDE = RGB.astype(np.uint16) * 257
for ending in ("png", "tif"):
    by_vips(f"rgb16.{ending}", WIDE, RGB, "rgb16")
    by_vips(f"rgb16_profile.{ending}", WIDE, RGB, "rgb16", profile="srgb")
    by_vips(f"gray16.{ending}", WIDE[..., 0], three(GRAY), "grey16")
    wide_alpha = np.dstack([WIDE, ALPHA.astype(np.uint16) * 257])
    by_vips(f"rgba16.{ending}", wide_alpha, RGB, "rgb16", ALPHA)
by_vips("rgba16_profile.tif", wide_alpha, RGB, "rgb16", ALPHA, profile="srgb")
by_vips("interlaced.png", RGB, RGB, "srgb", interlace=True)
by_vips("interlaced16.png", WIDE, RGB, "rgb16", interlace=True)
by_vips("tiled.tif", RGB, RGB, "srgb", tile=True, tile_width=16, tile_height=16)
by_vips("pyramid.tif", RGB, RGB, "srgb", tile=True, tile_width=16, tile_height=16, pyramid=True)
by_vips("big.tif", RGB, RGB, "srgb", bigtiff=True)
by_vips("white_is_zero.tif", GRAY, three(GRAY), "b-w", miniswhite=True)
by_vips("float.tif", (GRAY / 255).astype(np.float32), three(GRAY), "b-w")


def oriented(ending: str, orientation: int) -> None:
    def make(path: Path) -> Made:
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored = {3: np.rot90(RGB, 2), 6: np.rot90(RGB, 1), 5: RGB.transpose(1, 0, 2)}[orientation]
        options = {"lossless": True} if ending == "webp" else {}
        Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif, quality=98, **options)
        return RGB, None

    KINDS[f"orientation{orientation}.{ending}"] = make


for ending in ("jpg", "png", "tif", "webp"):
    for orientation in (3, 5, 6):
        oriented(ending, orientation)


def made(name: str) -> Callable[[Callable[[Path], Made]], None]:
    def keep(make: Callable[[Path], Made]) -> None:
        KINDS[name] = make

    return keep


def printed(path: Path) -> Made:
    """In a printer's color space, which has no exact way back: by CIELAB, as libvips computes it."""
    image = vips().Image.new_from_array(RGB).copy(interpretation="srgb")
    ink = image.icc_transform("cmyk", input_profile="srgb", intent="perceptual")
    ink.write_to_file(str(path), **({"Q": 98} if path.suffix == ".jpg" else {}))
    right = ink.icc_import(embedded=True, intent="perceptual").colourspace("srgb")
    assert np.abs(right.numpy().astype(int) - RGB).mean() < 8
    return right.numpy().astype(int), None


made("cmyk_profile.tif")(printed)
made("cmyk_profile.jpg")(printed)


@made("swapped_profile16.tif")
def _(path: Path) -> Made:
    profile = bytearray(SRGB)
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    name = bytes(profile).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    (path.parent / "swapped.icc").write_bytes(name)
    image = vips().Image.new_from_array(WIDE).copy(interpretation="rgb16")
    image.tiffsave(str(path), profile=str(path.parent / "swapped.icc"))
    return RGB[..., ::-1], None


@made("premultiplied.tif")
def _(path: Path) -> Made:
    values = np.dstack([np.round(RGB * (ALPHA[..., None] / 255)), ALPHA]).astype(np.uint8)
    tags = {256: WIDTH, 257: HEIGHT, 258: (8,) * 4, 259: 1, 262: 2, 277: 4, 338: 1}
    path.write_bytes(linked_directories((tags, values.tobytes())))
    return RGB, ALPHA


@made("white_is_zero16.tif")
def _(path: Path) -> Made:
    tags = {256: WIDTH, 257: HEIGHT, 258: 16, 259: 1, 262: 0, 277: 1}
    path.write_bytes(linked_directories((tags, (65535 - WIDE[..., 0]).tobytes())))
    return three(GRAY), None


@made("lab.tif")
def _(path: Path) -> Made:
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    lab = ImageCms.applyTransform(Image.fromarray(RGB), to_lab)
    assert lab is not None
    lab.save(path)
    return RGB, None


@made("transparent_color.png")
def _(path: Path) -> Made:
    Image.fromarray(RGB).save(path, transparency=tuple(int(v) for v in RGB[0, 0]))
    return RGB, np.where((RGB[0, 0] == RGB).all(axis=-1), 0, 255).astype(np.uint8)


def by_first(path: Path) -> np.ndarray:
    return np.asarray(open_image(path, max_pixels=10**6).image)


def by_second(path: Path) -> np.ndarray | None:
    vips()
    loader = vips_loader(path)
    return None if loader is None else open_by_vips(path, loader)[0].numpy()


@pytest.mark.parametrize("name", sorted(KINDS))
def test_both_readers_find_what_was_written(name: str, tmp_path: Path) -> None:
    right, alpha = KINDS[name](tmp_path / name)
    for found in (by_first(tmp_path / name), by_second(tmp_path / name)):
        if found is None:
            assert name in ONLY_BY_PILLOW
            continue
        assert found.dtype == np.uint8
        assert found.shape[:2] == right.shape[:2]
        difference = np.abs(found[..., :3].astype(int) - right)
        assert difference.mean() < 2
        assert np.percentile(difference, 99) < 12
        if alpha is not None:
            assert np.abs(found[..., 3].astype(int) - alpha).mean() < 1
        elif found.shape[2] == 4:
            assert found[..., 3].min() == 255


ONLY_BY_PILLOW = {"float.tif", "lab.tif", "premultiplied.tif"}


def test_there_are_many_kinds() -> None:
    assert len(KINDS) >= 40


def test_other_formats_are_not_given_to_libvips(tmp_path: Path) -> None:
    vips()
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n")
    (tmp_path / "b.png").write_bytes(b"%PDF-1.7\n")
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    (tmp_path / "c.png").write_bytes(svg)
    Image.fromarray(RGB).save(tmp_path / "d.png", "GIF")
    for name in "abcd":
        assert vips_loader(tmp_path / f"{name}.png") is None
    file = io.BytesIO()
    Image.fromarray(RGB).save(file, "PNG")
    (tmp_path / "e[page=1].jpg").write_bytes(file.getvalue())  # not an option of libvips
    assert vips_loader(tmp_path / "e[page=1].jpg") == "pngload"
    found = by_second(tmp_path / "e[page=1].jpg")
    assert np.array_equal(found, RGB)
