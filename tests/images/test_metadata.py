"""Date, place and camera go from the photo into the picture that is made of it."""

import io
from pathlib import Path

import pytest
import torch
from PIL import Image

from fasttransfer.images.metadata import NO_METADATA
from fasttransfer.images.reading import read_picture
from fasttransfer.images.writing import write_picture

MADE, MODEL, ORIENTATION, DETAILS, GPS, THUMBNAIL = 0x0132, 0x0110, 0x0112, 0x8769, 0x8825, 1
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" dc:creator="Ada">'
    b"<xmp:Thumbnails><rdf:Alt><rdf:li>OLD PICTURE</rdf:li></rdf:Alt></xmp:Thumbnails>"
    b"</rdf:Description></x:xmpmeta>"
)


def photo(path: Path) -> None:
    exif = Image.Exif()
    exif[MODEL], exif[MADE], exif[ORIENTATION] = "Camera 1", "2024:05:06 07:08:09", 6
    exif.get_ifd(DETAILS).update({0x9003: "2024:05:06 07:08:09", 0xA001: 65535, 0xA002: 40})
    exif.get_ifd(DETAILS)[0x927C] = b"OLD PICTURE in the maker's notes"
    exif.get_ifd(GPS).update({1: "N", 2: (47.0, 22.0, 30.0)})
    path.parent.mkdir(exist_ok=True)
    options = {} if path.suffix == ".webp" else {"dpi": (300, 300)}
    Image.new("RGB", (40, 20), "red").save(path, exif=exif, xmp=XMP, **options)


@pytest.mark.parametrize("kind", ["jpg", "png", "tif", "webp", "avif"])
def test_metadata_is_kept(tmp_path: Path, kind: str) -> None:
    photo(tmp_path / "in" / "a.jpg")
    picture = read_picture(tmp_path / "in" / "a.jpg", max_pixels=10**6)
    path = tmp_path / f"a.{kind}"
    write_picture(path, torch.zeros(3, 50, 30), None, 90, picture.metadata)
    assert b"OLD PICTURE" not in path.read_bytes()
    with Image.open(path) as image:
        assert image.size == (30, 50)
        exif = image.getexif()
        assert exif[MODEL] == "Camera 1"
        assert exif[MADE] == "2024:05:06 07:08:09"
        assert exif.get(ORIENTATION, 1) == 1
        details = exif.get_ifd(DETAILS)
        assert details[0x9003] == "2024:05:06 07:08:09"
        assert (details[0xA001], details[0xA002], details[0xA003]) == (1, 30, 50)
        assert [float(part) for part in exif.get_ifd(GPS)[2]] == [47, 22, 30]
        xmp = image.info["xmp"]
        assert b'dc:creator="Ada"' in xmp
        assert b'tiff:Orientation="6"' not in xmp
        if kind in ("jpg", "png", "tif"):
            assert [round(value) for value in image.info["dpi"]] == [300, 300]
    again = read_picture(path, max_pixels=10**6)
    assert again.rgb.shape == (3, 50, 30)  # not turned a second time
    assert again.metadata.exif is not None


@pytest.mark.parametrize("kind", ["jpg", "png", "tif", "webp"])
def test_metadata_of_every_kind_is_read(tmp_path: Path, kind: str) -> None:
    photo(tmp_path / f"a.{kind}")
    found = read_picture(tmp_path / f"a.{kind}", max_pixels=10**6).metadata
    exif = Image.Exif()
    assert found.exif is not None
    exif.load(found.exif)
    assert exif[MODEL] == "Camera 1"


def test_nothing_is_written_without_metadata(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.jpg", torch.zeros(3, 5, 3), None, 90, NO_METADATA)
    with Image.open(tmp_path / "a.jpg") as image:
        assert not dict(image.getexif())
        assert "xmp" not in image.info
        assert "icc_profile" not in image.info


def test_damaged_metadata_does_not_cost_the_picture(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff", xmp=b"<not xml")
    (tmp_path / "a.jpg").write_bytes(file.getvalue())
    picture = read_picture(tmp_path / "a.jpg", max_pixels=100)
    write_picture(tmp_path / "b.jpg", picture.rgb, None, 90, picture.metadata)
    assert read_picture(tmp_path / "b.jpg", max_pixels=100).rgb.shape == (3, 8, 8)


def test_what_is_too_long_for_a_jpeg_is_left_out(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.webp", xmp=b"<x>" + b"y" * 200_000 + b"</x>")
    metadata = read_picture(tmp_path / "a.webp", max_pixels=100).metadata
    assert metadata.xmp is not None
    write_picture(tmp_path / "b.jpg", torch.zeros(3, 8, 8), None, 90, metadata)
    write_picture(tmp_path / "b.png", torch.zeros(3, 8, 8), None, 90, metadata)
    assert read_picture(tmp_path / "b.png", max_pixels=100).metadata.xmp == metadata.xmp
