"""Which kinds of files are opened as pictures. Nothing else of Pillow's is ever tried.

Pillow knows some fifty formats, and it asks each of them about each file, whatever its ending. Some hand
the file to another program: ``%!PS`` goes to Ghostscript, which runs it.
"""

from typing import IO

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    IcoImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TgaImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from ...core.errors import FastTransferError
from ...core.libraries import require
from .tiff import full_picture

_PLUGINS = (  # which add themselves to Image.OPEN when they are imported
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TgaImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
# TGA has no mark of its own by which a file could be recognized, so it comes last.
_BY_PILLOW = ("PNG", "WEBP", "BMP", "DIB", "GIF", "AVIF", "JPEG2000", "PPM", "TGA")

FORMATS = ("JPEG", "MPO", "TIFF", "ICO", "HEIF", "RAW", *_BY_PILLOW)
"""Names of all formats, as ``Image.format`` has them."""

_MOST_SCANS = 100  # of a progressive JPEG, as libvips has it; each takes as long as a whole picture

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
# What cameras write that is no TIFF, or no real one: the start of the file.
_RAW_STARTS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"\0MRM", b"FOVb")

# What Pillow's formats raise for a file that is none of theirs.
_NOT_MINE = (SyntaxError, IndexError, TypeError, ValueError, KeyError, EOFError)


def identify(file: IO[bytes], name: str) -> Image.Image:
    """Reads the header of a picture, by its content and not by the ending of its name.

    ``Image.open`` would compare its size with a limit that belongs to the whole process; asking the
    formats one by one leaves the limit to the caller, in every thread. Without a file name, Pillow
    never maps the file into memory, where a file that is cut meanwhile would end the process.

    Raises:
        FastTransferError: it is empty, none of ``FORMATS``, or needs a library that is missing.
        Exception: nearly every kind, for a damaged header.
    """
    prefix = file.read(32)
    if not prefix:
        raise FastTransferError(f"{name} is empty")
    file.seek(0)
    if _is_raw(prefix):
        return _open_raw(file)
    if prefix[:4] in TiffImagePlugin.PREFIXES:
        return full_picture(file, _open_raw)
    if prefix[:3] == b"\xff\xd8\xff":
        return _open_jpeg(file, name)
    if prefix[:4] == b"\0\0\1\0":
        return IcoImagePlugin.IcoFile(file).frame(0)  # the largest, not decoded yet
    for kind in _BY_PILLOW:
        factory, accept = Image.OPEN[kind]
        accepted = accept is None or accept(prefix[:16])
        if not accepted or isinstance(accepted, str):  # a string is a reason why not
            continue
        file.seek(0)
        try:
            return factory(file, "")
        except _NOT_MINE:
            continue  # another format may know it
    if prefix[4:8] == b"ftyp" and prefix[8:12] in _HEIF_BRANDS:
        file.seek(0)
        heif = require("pillow_heif", "heif", f"{name} (a HEIC picture)")
        return heif.HeifImageFile(file)
    raise FastTransferError(
        f"{name} is not a picture that can be read here; save it as JPEG or PNG first"
    )


def _is_raw(prefix: bytes) -> bool:
    is_canon = prefix[:4] == b"II*\0" and prefix[8:10] == b"CR"
    return is_canon or prefix.startswith(_RAW_STARTS) or prefix[4:12] == b"ftypcrx "


def _open_raw(file: IO[bytes]) -> Image.Image:
    from .raw import RawImageFile

    return RawImageFile(file)


def _open_jpeg(file: IO[bytes], name: str) -> Image.Image:
    image = JpegImagePlugin.jpeg_factory(file)
    if image.info.get("progressive"):
        place = file.tell()
        file.seek(0)
        scans = file.read().count(b"\xff\xda")
        file.seek(place)
        if scans > _MOST_SCANS:
            raise FastTransferError(
                f"{name} is a JPEG of {scans} scans, which would take very long to decode; more than "
                f"{_MOST_SCANS} are not accepted"
            )
    return image
