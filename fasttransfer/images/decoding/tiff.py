"""The full picture of a TIFF: cameras and some programs put a thumbnail first."""

import io
from collections.abc import Callable
from typing import IO, Any

from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

_KIND, _PHOTOMETRIC, _CHILDREN = 254, 262, 330  # tags: NewSubfileType, and SubIFDs
_REDUCED, _MASK = 1, 4  # bits of NewSubfileType
_SENSOR = (32803, 34892)  # photometric interpretations: color filter array, linear raw
_MOST_CHILDREN = 32
_MOST_PAGES = 64  # of which the first may be thumbnails


def full_picture(file: IO[bytes], open_raw: Callable[[IO[bytes]], Image.Image]) -> Image.Image:
    """Opens the picture of a TIFF file that is neither reduced nor a mask.

    It is the first page, another page, or a child of the first one, as in DNG. A file with values
    of a sensor (DNG, NEF, ARW and others) goes to ``open_raw``.
    """
    header = file.read(16)
    header = header if _is_big(header) else header[:8]
    first = _directory(file, header, None)
    if not first.get(_KIND, 0) & (_REDUCED | _MASK) and first.get(_PHOTOMETRIC) not in _SENSOR:
        file.seek(0)
        return TiffImageFile(file)
    offsets = first.get(_CHILDREN, ())
    offsets = offsets if isinstance(offsets, tuple) else (offsets,)
    children = [(at, _directory(file, header, at)) for at in offsets[:_MOST_CHILDREN]]
    if any(d.get(_PHOTOMETRIC) in _SENSOR for d in (first, *(d for _, d in children))):
        file.seek(0)
        return open_raw(file)
    full = [(_pixels(d), at) for at, d in children if not d.get(_KIND, 0) & (_REDUCED | _MASK)]
    if full:
        return TiffImageFile(_starting_at(file, header, max(full)[1]))
    file.seek(0)
    image = TiffImageFile(file)
    for page in range(min(image.n_frames, _MOST_PAGES)):
        image.seek(page)
        if is_full(image):
            return image
    image.seek(0)
    return image


def is_full(image: Image.Image) -> bool:
    """Whether a page of a TIFF is a picture of its own: no thumbnail, no smaller copy, no mask."""
    if not isinstance(image, TiffImageFile):
        return True
    return not image.tag_v2.get(_KIND, 0) & (_REDUCED | _MASK)


def is_white_zero(image: Image.Image) -> bool:
    """Whether 0 is white, which Pillow heeds up to 8 bits only."""
    return isinstance(image, TiffImageFile) and image.tag_v2.get(_PHOTOMETRIC) == 0


def _is_big(header: bytes) -> bool:
    return 43 in header[2:4]  # BigTIFF


def _directory(file: IO[bytes], header: bytes, offset: int | None) -> ImageFileDirectory_v2:
    directory = ImageFileDirectory_v2(header)
    file.seek(directory.next if offset is None else offset)
    directory.load(file)
    return directory


def _pixels(directory: ImageFileDirectory_v2) -> int:
    return int(directory.get(256, 0)) * int(directory.get(257, 0))


def _starting_at(file: IO[bytes], header: bytes, offset: int) -> io.BytesIO:
    """The same file with another first directory."""
    order: Any = "little" if header[:2] == b"II" else "big"
    place, size = (8, 8) if _is_big(header) else (4, 4)
    file.seek(0)
    contents = bytearray(file.read())
    contents[place : place + size] = offset.to_bytes(size, order)
    return io.BytesIO(contents)
