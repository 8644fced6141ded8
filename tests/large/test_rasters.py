"""Picture files to arrays and back, by Pillow and by libvips."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from fasttransfer.core.errors import FastTransferError
from fasttransfer.images.metadata import Metadata
from fasttransfer.images.reading import read_picture
from fasttransfer.images.regions import Region
from fasttransfer.large import rasters
from fasttransfer.large.planes import Plane
from fasttransfer.large.rasters import pack, unpack


@pytest.fixture(params=["pillow", "vips"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same small pictures are read by both."""
    monkeypatch.setattr(rasters, "HELD", 10**9 if request.param == "pillow" else 0)
    return request.param


def pixels(path: Path, tmp_path: Path, longer: int | None = None) -> np.ndarray:
    with Image.open(path) as image:
        size = image.size
    plane = unpack(path, tmp_path / "array", size=size, longer=longer, max_pixels=10**6).plane
    height, width, _ = plane.shape
    return plane.read(Region(0, height, 0, width))


def gradient(mode: str = "RGB") -> Image.Image:
    y, x = np.mgrid[0:50, 0:70]
    bands = [3 * x, 5 * y, x + y, 255 - 3 * x]
    return Image.fromarray(np.stack(bands, axis=-1).astype(np.uint8), "RGBA").convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "CMYK", "I;16", "1"])
def test_what_is_in_a_file_is_what_pictures_are_read_as(
    library: str, mode: str, tmp_path: Path
) -> None:
    path = tmp_path / "picture.tif"
    if mode == "I;16":
        image = Image.fromarray(np.asarray(gradient("L")).astype(np.uint16) * 257)
    else:
        image = gradient("RGB").convert("CMYK") if mode == "CMYK" else gradient(mode)
    if mode == "LA":
        path = path.with_suffix(".png")
    image.save(path)
    picture = read_picture(path, max_pixels=10**6)
    found = pixels(path, tmp_path)
    expected = picture.rgb.mul(255).round().permute(1, 2, 0).numpy().astype(int)
    assert np.abs(found[..., :3].astype(int) - expected).max() <= 1
    if picture.alpha is not None:
        assert np.abs(found[..., 3] / 255 - picture.alpha[0].numpy()).max() < 0.01


def test_what_is_enlarged_to_a_large_picture_is_never_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rasters, "HELD", 5000)  # the picture has 3,500 pixels, enlarged 14,000
    gradient("RGB").save(tmp_path / "small.png")
    gradient("RGB").save(tmp_path / "small.bmp")
    small = {"size": (70, 50), "longer": 140, "max_pixels": 5000}
    with pytest.raises(FastTransferError, match="would be enlarged to 140×100 pixels, more than"):
        unpack(tmp_path / "small.bmp", tmp_path / "array", **small)  # type: ignore[arg-type]
    plane = unpack(tmp_path / "small.png", tmp_path / "array", **small).plane  # type: ignore[arg-type]
    assert plane.shape == (100, 140, 3)
    wanted = np.asarray(gradient("RGB").resize((140, 100), Image.Resampling.BICUBIC)).astype(int)
    inside = (slice(4, -4), slice(4, -4))
    found = plane.read(Region(0, 100, 0, 140)).astype(int)
    assert np.abs(found - wanted)[inside].max() <= 2
    assert [path.name for path in tmp_path.glob("un*")] == []


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_upright(library: str, orientation: int, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    exif = Image.Exif()
    exif[0x0112] = orientation
    gradient().save(path, exif=exif)
    expected = read_picture(path, max_pixels=10**6).rgb.mul(255).round().permute(1, 2, 0).numpy()
    assert np.array_equal(pixels(path, tmp_path), expected)


def test_colour_profiles_are_heeded(library: str, tmp_path: Path) -> None:
    """Red of a profile whose red and blue are exchanged is blue."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    # A profile called sRGB is taken at its word.
    name = profile.replace(b"s\0R\0G\0B\0", b"a\0R\0G\0B\0").replace(b"sRGB", b"aRGB")
    path = tmp_path / "photo.png"
    Image.new("RGB", (8, 8), (255, 0, 0)).save(path, icc_profile=bytes(name))
    expected = read_picture(path, max_pixels=10**6).rgb.mul(255).permute(1, 2, 0).numpy()
    assert expected[0, 0].argmax() == 2
    assert np.abs(pixels(path, tmp_path).astype(float) - expected).max() <= 2


def test_a_longer_side(library: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    gradient().save(path)
    small = pixels(path, tmp_path, longer=35)
    assert small.shape == (25, 35, 3)
    assert np.abs(small[12, 17].astype(int) - np.asarray(gradient())[25, 35].astype(int)).max() < 8


@pytest.mark.parametrize("ending", [".png", ".tif", ".bmp", ".jpg", ".webp"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_what_is_packed_is_read_again(library: str, ending: str, mode: str, tmp_path: Path) -> None:
    values = np.asarray(gradient(mode))
    plane = Plane(tmp_path / "array", values.shape, "uint8")
    plane.write(Region(0, 50, 0, 70), values)
    path = tmp_path / f"picture{ending}"
    pack(plane, path, quality=95)
    with Image.open(path) as image:
        again = np.asarray(image).astype(int)
    if mode == "RGBA" and ending in (".jpg", ".bmp"):
        alpha = values[..., 3:] / 255
        values = (values[..., :3] * alpha + 255 * (1 - alpha)).round()
    lossy = 12 if ending == ".webp" else 4 if ending == ".jpg" else 1
    assert np.percentile(np.abs(again - values.astype(int)), 99) <= lossy


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".tif"])
def test_metadata_is_written_with_the_picture(library: str, ending: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0110] = "Camera 1"
    metadata = Metadata(exif.tobytes(), b"<x:xmpmeta>Ada</x:xmpmeta>", (300.0, 300.0), True)
    plane = Plane(tmp_path / "array", (50, 70, 3), "uint8")
    pack(plane, tmp_path / f"a{ending}", 90, metadata)
    with Image.open(tmp_path / f"a{ending}") as image:
        assert b"Ada" in (Metadata.of(image).xmp or b"")
        assert "icc_profile" in image.info
        if ending != ".webp":
            assert [round(value) for value in image.info["dpi"]] == [300, 300]
        if ending != ".tif" or library == "pillow":
            assert image.getexif()[0x0110] == "Camera 1"


def test_large_tiff_is_tiled_with_smaller_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rasters, "HELD", 0)
    plane = Plane(tmp_path / "array", (1100, 1300, 3), "uint8")
    pack(plane, tmp_path / "picture.tif", quality=90)
    assert (tmp_path / "picture.tif").read_bytes()[2] == 43  # BigTIFF
    with Image.open(tmp_path / "picture.tif") as image:
        assert image.n_frames > 1
        assert image.tag_v2[322] == 512  # TileWidth


def test_a_cut_file_is_an_error_and_leaves_nothing(library: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    gradient().resize((400, 300)).save(path)
    path.write_bytes(path.read_bytes()[:4000])
    for _ in range(100):  # libvips has written something by then, or nothing
        with pytest.raises(FastTransferError, match=r"photo\.jpg is damaged or cut short"):
            unpack(path, tmp_path / "array", size=(400, 300), longer=None, max_pixels=10**6)
    assert [p.name for p in tmp_path.iterdir()] == ["photo.jpg"]


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8))
DAMAGED = {
    "end.jpg": ({"quality": 90}, lambda whole: whole[:-2]),
    "half.jpg": ({"quality": 90}, lambda whole: whole[: len(whole) // 2]),
    "progressive.jpg": ({"progressive": True}, lambda whole: whole[: len(whole) // 2]),
    "half.png": ({}, lambda whole: whole[: len(whole) // 2]),
    "end.tif": ({}, lambda whole: whole[:-2]),
    "half.tif": ({}, lambda whole: whole[: len(whole) // 2]),
    "middle.tif": ({"compression": "tiff_lzw"}, lambda whole: flipped(whole)),
    "half.webp": ({"quality": 90}, lambda whole: whole[: len(whole) // 2]),
    "odd.webp": ({"quality": 90}, lambda whole: whole[: len(whole) * 9 // 20 * 2 + 1]),
}


def flipped(whole: bytes) -> bytes:
    middle = slice(len(whole) // 2, len(whole) // 2 + 20)
    changed = bytearray(whole)
    changed[middle] = bytes(value ^ 0x5A for value in whole[middle])
    return bytes(changed)


@pytest.mark.parametrize("name", sorted(DAMAGED))
def test_both_readers_take_the_same_of_a_damaged_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options, damaged = DAMAGED[name]
    path = tmp_path / name
    NOISE.save(path, **options)
    path.write_bytes(damaged(path.read_bytes()))
    found = []
    for held in (10**9, 0):
        monkeypatch.setattr(rasters, "HELD", held)
        picture = unpack(
            path, tmp_path / f"array{held}", size=NOISE.size, longer=None, max_pixels=10**6,
            damaged_up_to=0.7,
        )  # fmt: skip
        found.append((picture.plane.read(Region(0, 300, 0, 400)), picture.damage))
        with pytest.raises(FastTransferError, match=r"is damaged or cut short"):
            unpack(path, tmp_path / "none", size=NOISE.size, longer=None, max_pixels=10**6)
    (first, damage), (second, other) = found
    assert damage is not None
    assert other == damage
    assert np.array_equal(first, second)


def test_a_file_that_is_replaced_is_read_again(library: str, tmp_path: Path) -> None:
    for value in (10, 200):
        Image.new("RGB", (70, 50), (value,) * 3).save(tmp_path / "a.png")
        assert pixels(tmp_path / "a.png", tmp_path).mean() == value
        (tmp_path / "array").unlink()


def test_a_side_too_long_for_the_format_is_an_error(library: str, tmp_path: Path) -> None:
    plane = Plane(tmp_path / "array", (1, 70_000, 3), "uint8")
    with pytest.raises(FastTransferError, match=r"wide\.jpg cannot be written"):
        pack(plane, tmp_path / "wide.jpg", quality=90)
    assert [p.name for p in tmp_path.iterdir()] == ["array"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="has no resource module")
def test_a_large_array_is_never_held(tmp_path: Path) -> None:
    """Also not as a map of its file, of which the pages count as the process's memory too."""
    program = """
import resource
from pathlib import Path
from fasttransfer.large.planes import Plane
from fasttransfer.large.rasters import pack

def packed(side):
    plane = Plane(Path(f"{side}"), (side, side, 3), "uint8")
    pack(plane, Path(f"{side}.tif"), 90)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

print(-packed(6_000) + packed(10_000))
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    more = int(done.stdout) * (1 if sys.platform == "darwin" else 1024)
    assert more < 10_000**2 - 6_000**2  # of a map it would be three times as much
