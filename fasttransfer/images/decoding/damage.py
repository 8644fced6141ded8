"""What is left of a picture file that is cut short, and how much of it is missing."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import IO

import numpy as np
from PIL import Image, ImageFile

Identify = Callable[[IO[bytes]], Image.Image]

_END_OF_IMAGE = b"\xff\xd9"
_ENDS = 2**16  # times that it is given to a decoder that goes on to read
_STRIP = 512  # rows that are compared at a time
_NOISE = bytes(np.random.default_rng(0).integers(0, 255, 4096, dtype=np.uint8))  # never 0xff
NO_PIXEL = "its end is missing, but no pixel is"
# Two values for a pixel that was not decoded, by mode: for people, and to compare with.
_BLANKS: dict[str, tuple[float, float]] = {"I;16": (32768, 0), "I": (32768, 0), "F": (0, 1)}


@dataclass(frozen=True)
class Salvaged:
    """A picture of which ``missing`` is the part of its pixels that was not in the file."""

    image: Image.Image
    missing: float
    description: str


def salvage(contents: bytes, identify: Identify, error: Exception) -> Salvaged:
    """Decodes what there is of a damaged file.

    It is decoded twice, with different values where the file has none; pixels that differ are those
    that are missing.

    Raises:
        Exception: ``error``, the one that a plain decoder raised, if nothing can be decoded.
    """
    try:
        if contents[:3] == b"\xff\xd8\xff":
            return _jpeg(contents, identify)
        if contents[:4] == b"RIFF":
            return _webp(contents, identify)
        return _by_rows(contents, identify)
    except Exception as failure:
        raise error from failure


def lacks_end(contents: bytes) -> bool:
    """Whether the file is a JPEG that is cut short, which may have cost no pixel.

    What follows the end, such as the clip of a phone's moving photo, does not matter.
    """
    if contents[:3] != b"\xff\xd8\xff":
        return False
    first_scan = _first_scan(contents)
    return first_scan is not None and contents.find(_END_OF_IMAGE, first_scan) < 0


def _jpeg(contents: bytes, identify: Identify) -> Salvaged:
    first_scan = _first_scan(contents)
    if first_scan is None:
        raise ValueError("its header is cut short")
    image = _decoded(_Longer(contents, repeat(_END_OF_IMAGE, _ENDS)), identify)
    if image.info.get("progressive") and contents.count(b"\xff\xda", first_scan + 2):
        # The first scan is whole, so every pixel has its color; the later ones make it sharp.
        return Salvaged(image, 0.0, "its end is missing, and with it fine detail")
    other = _decoded(_Longer(contents, _noise()), identify)
    return _compared(image, other)


def _webp(contents: bytes, identify: Identify) -> Salvaged:
    place = 12  # of the first chunk: its name, its size, and as many bytes
    while place + 8 + _size_at(contents, place) <= len(contents):
        place += 8 + _size_at(contents, place)
    left = place + 8 + _size_at(contents, place) - len(contents)
    if place + 8 > len(contents):
        raise ValueError("it is cut short between two chunks")
    if left > 64 * len(contents) + 2**20:
        raise ValueError("nearly all is missing")
    # A decoder takes more bytes of noise than of a picture; the file's size must be even.
    more = 4 * left + 2**16 + len(contents) % 2
    longer = bytearray(contents)
    longer[4:8] = (len(contents) + more - 8).to_bytes(4, "little")
    longer[place + 4 : place + 8] = (len(contents) + more - place - 8).to_bytes(4, "little")
    noise = (_NOISE * (more // len(_NOISE) + 1))[:more]
    image, other = (
        _decoded(io.BytesIO(bytes(longer) + end), identify) for end in (bytes(more), noise)
    )
    return _compared(image, other)


def _size_at(contents: bytes, place: int) -> int:
    """Of the chunk there, which takes an even number of bytes."""
    size = int.from_bytes(contents[place + 4 : place + 8], "little")
    return size + size % 2


def _by_rows(contents: bytes, identify: Identify) -> Salvaged:
    """Of formats that Pillow decodes into a picture that is there before."""
    images = []
    for which in range(2):
        image = identify(io.BytesIO(contents))
        if not isinstance(image, ImageFile.ImageFile):
            raise TypeError("its decoder makes a picture of its own")
        blank = _BLANKS.get(image.mode, (128, 0))[which]
        bands = len(image.getbands())
        image.im = Image.new(
            image.mode, image.size, (int(blank),) * bands if bands > 1 else blank
        ).im
        try:
            image.load()
        except Exception:
            image.tile = []  # what is decoded is all there will be
        image.load()
        images.append(image)
    return _compared(*images)


def _decoded(file: IO[bytes], identify: Identify) -> Image.Image:
    image = identify(file)
    image.load()
    return image


def _compared(image: Image.Image, other: Image.Image) -> Salvaged:
    differing = 0
    for top in range(0, image.height, _STRIP):  # a large picture is held twice already
        place = (0, top, image.width, min(image.height, top + _STRIP))
        differs = np.asarray(image.crop(place)) != np.asarray(other.crop(place))
        differing += int(np.count_nonzero(differs.any(axis=-1) if differs.ndim == 3 else differs))
    missing = differing / (image.width * image.height)
    part = f", and with it {max(missing, 0.001):.1%} of its pixels"
    return Salvaged(image, missing, NO_PIXEL if missing == 0 else f"its end is missing{part}")


def _first_scan(contents: bytes) -> int | None:
    """Where the first scan of a JPEG begins; the thumbnail within its EXIF data has scans, too."""
    place = 2
    while contents[place : place + 1] == b"\xff" and contents[place + 1] != 0xDA:
        place += 2 + int.from_bytes(contents[place + 2 : place + 4], "big")
    return place if contents[place : place + 2] == b"\xff\xda" else None


def _noise() -> Iterator[bytes]:
    return chain(repeat(_NOISE, 2**16), repeat(_END_OF_IMAGE, _ENDS))  # more than a picture needs


class _Longer(io.BytesIO):
    """A file behind whose end more can be read, though not for ever."""

    def __init__(self, contents: bytes, more: Iterator[bytes]) -> None:
        super().__init__(contents)
        self._more = more

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        return found if found or size == 0 else next(self._more, b"")
