"""Only known kinds of files are opened, and only by decoders that start no other program."""

import io
import os
import stat
import struct
import sys
from pathlib import Path

import pytest
from PIL import Image

from fasttransfer.core.errors import FastTransferError
from fasttransfer.images.decoding import InMemory, open_image, read_size

LIMIT = 1_000_000
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n{} loop\n"


@pytest.mark.skipif(sys.platform == "win32", reason="the stub is a shell script")
@pytest.mark.parametrize(
    "start", [b"", b"\xc5\xd0\xd3\xc6" + struct.pack("<II", 32, 99) + bytes(20)]
)
@pytest.mark.parametrize("name", ["photo.jpg", "photo.png", "photo.eps", "photo"])
def test_postscript_starts_no_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, start: bytes
) -> None:
    (tmp_path / "bin").mkdir()
    stub = tmp_path / "bin" / "gs"
    stub.write_text(f"#!/bin/sh\ntouch '{tmp_path}/started'\n")
    stub.chmod(stub.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / name).write_bytes(start + POSTSCRIPT)
    for path in (tmp_path / name, InMemory(name, start + POSTSCRIPT)):
        with pytest.raises(FastTransferError, match="not a picture that can be read here"):
            open_image(path, max_pixels=LIMIT, damaged_up_to=1.0)
        with pytest.raises(FastTransferError, match="not a picture that can be read here"):
            read_size(path, max_pixels=LIMIT)
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(
    "start",
    [
        b"%PDF-1.7\n",
        b"\xd7\xcd\xc6\x9a",
        b"SIMPLE  =",
        b"GRIB",
        b"BUFR",
        b"\x89HDF\r\n\x1a\n",
        b"8BPS",
    ],
    ids=["pdf", "wmf", "fits", "grib", "bufr", "hdf5", "psd"],
)
def test_other_formats_are_refused(start: bytes) -> None:
    with pytest.raises(FastTransferError, match="not a picture that can be read here"):
        open_image(InMemory("a.jpg", start + bytes(200)), max_pixels=LIMIT)


@pytest.mark.parametrize(
    "kind",
    [
        "JPEG",
        "MPO",
        "PNG",
        "WEBP",
        "TIFF",
        "BMP",
        "DIB",
        "GIF",
        "AVIF",
        "JPEG2000",
        "PPM",
        "TGA",
        "ICO",
    ],
)
def test_known_formats_are_read_under_any_name(kind: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), (200, 60, 30)).save(file, kind)
    image = open_image(InMemory("any.name", file.getvalue()), max_pixels=LIMIT).image
    assert image.size == (32, 32)
    found = image.convert("RGB").getpixel((16, 16))
    assert all(abs(a - b) <= 6 for a, b in zip(found, (200, 60, 30), strict=True))


def test_heic(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    picture = heif.from_pillow(Image.new("RGB", (64, 32), (200, 60, 30)))
    picture.save(tmp_path / "a.heic", quality=95)
    image = open_image(tmp_path / "a.heic", max_pixels=LIMIT).image
    assert image.size == (64, 32)
    assert all(abs(a - b) <= 6 for a, b in zip(image.getpixel((9, 9)), (200, 60, 30), strict=True))
    with pytest.raises(FastTransferError, match="max_pixels"):
        open_image(tmp_path / "a.heic", max_pixels=100)


@pytest.mark.parametrize(
    ("library", "extra", "start"),
    [
        ("pillow_heif", "heif", b"\0\0\0\x18ftypheic"),
        ("rawpy", "raw", b"II*\0\x10\0\0\0CR\2\0"),
        ("rawpy", "raw", b"FUJIFILMCCD-RAW "),
        ("rawpy", "raw", b"\0\0\0\x18ftypcrx "),
    ],
)
def test_a_missing_library_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, library: str, extra: str, start: bytes
) -> None:
    monkeypatch.setitem(sys.modules, library, None)  # what Python does for a module that is blocked
    with pytest.raises(FastTransferError, match=rf'pip install "fasttransfer\[{extra}\]"'):
        open_image(InMemory("a.jpg", start + bytes(99)), max_pixels=LIMIT)


def test_an_icon_of_a_large_picture_is_refused_before_it_is_decoded() -> None:
    picture = io.BytesIO()
    Image.new("1", (5000, 5000)).save(picture, "PNG")
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(picture.getvalue()), 22)
    icon = b"\0\0\1\0\1\0" + entry + picture.getvalue()
    with pytest.raises(FastTransferError, match="5000×5000 pixels"):
        open_image(InMemory("a.ico", icon), max_pixels=LIMIT)


def test_a_jpeg_of_very_many_scans_is_refused() -> None:
    file = io.BytesIO()
    Image.linear_gradient("L").save(file, "JPEG", progressive=True)
    whole = file.getvalue()
    last = whole.rindex(b"\xff\xda")
    bomb = whole[:-2] + whole[last:-2] * 200 + whole[-2:]
    with pytest.raises(FastTransferError, match="scans"):
        open_image(InMemory("a.jpg", bomb), max_pixels=LIMIT)
    open_image(InMemory("a.jpg", whole), max_pixels=LIMIT)
