"""Picture files to 8-bit sRGB, from a name or from bytes in memory."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from PIL import Image, ImageSequence

from ...core.errors import FastTransferError, brief
from ...core.paths import open_regular
from ..metadata import NO_METADATA, Metadata
from .damage import NO_PIXEL, lacks_end, salvage
from .formats import identify
from .srgb import largest_value, standardize
from .tiff import is_full

_log = logging.getLogger(__name__)


class Openable(Protocol):
    """A file, or what can be read like one; ``str`` of it is its name."""

    def open(self, mode: Any) -> IO[Any]:
        """As ``pathlib.Path.open``."""


class InMemory:
    """The bytes of a file, such as a member of an archive."""

    def __init__(self, name: str, contents: bytes) -> None:
        self._name = name
        self._contents = contents

    def __str__(self) -> str:
        return self._name

    def open(self, mode: str) -> io.BytesIO:
        """To read from, whatever the mode."""
        return io.BytesIO(self._contents)


@dataclass(frozen=True)
class Decoded:
    """A picture in mode RGB or RGBA, 8-bit sRGB, upright.

    Attributes:
        image: its pixels.
        notes: sentences without a subject on what was left out.
        damage: such a sentence on what is missing from a damaged file; None for a whole one.
        metadata: what else the file says, such as date, place and camera.
    """

    image: Image.Image
    notes: tuple[str, ...]
    damage: str | None
    metadata: Metadata


def open_image(
    path: Openable, *, max_pixels: int, min_side: int | None = None, damaged_up_to: float = 0.0
) -> Decoded:
    """Decodes a picture file, whatever is inside and whatever its ending.

    Args:
        path: a file of one of ``formats.FORMATS``; of an animated one the first frame.
        max_pixels: a picture whose header announces more is refused before it is decoded.
        min_side: where the caller shrinks the picture anyway, the shorter side that must remain;
            a JPEG is then decoded at 1/2, 1/4 or 1/8 of its size, which is several times faster.
        damaged_up_to: how much of a picture may be missing, as a part of its pixels from 0 (damaged
            files are errors) to 1. What is missing is gray.

    Raises:
        FastTransferError: missing, no regular file, empty, damaged, no picture, or too large.
    """
    damage = None
    with _opened(path) as file:
        try:
            image = _identified(file, path, max_pixels, min_side)
            notes = _animation(image)  # before the pixels: counting frames would discard them
            image.load()
            if damaged_up_to > 0:
                file.seek(0)
                damage = NO_PIXEL if lacks_end(file.read()) else None
        except Exception as error:
            if damaged_up_to == 0 or isinstance(error, FastTransferError):
                raise
            file.seek(0)
            found = salvage(
                file.read(), lambda f: _identified(f, path, max_pixels, min_side), error
            )
            if found.missing > damaged_up_to:
                raise FastTransferError(
                    f"{path} is damaged or cut short: {found.missing:.0%} of its pixels are missing, "
                    f"more than damaged_up_to={damaged_up_to:g}"
                ) from error
            image, notes, damage = found.image, [], found.description
        metadata = Metadata.of(image)
        standard, more = standardize(image)
        return Decoded(standard, (*notes, *more), damage, metadata)


def read_size(path: Openable, *, max_pixels: int) -> tuple[int, int]:
    """Width and height as the file's header has them, before it is turned upright.

    Raises what ``open_image`` raises, but does not see damage behind the header.
    """
    with _opened(path) as file:
        return _identified(file, path, max_pixels).size


def read_metadata(path: Openable) -> Metadata:
    """What the file says beside its pixels; nothing, if it cannot be read."""
    try:
        with _opened(path) as file:
            return Metadata.of(identify(file, str(path)))
    except FastTransferError:
        return NO_METADATA


def open_pages(path: Openable, *, max_pixels: int) -> Iterator[Image.Image]:
    """All pages of a file in mode RGB, one after the other; raises what ``open_image`` raises.

    What is white is the same in all of them.
    """
    with _opened(path) as file:
        image = _identified(file, path, max_pixels)
        largest = max(largest_value(page) for page in ImageSequence.Iterator(image))
        for page in ImageSequence.Iterator(image):
            yield standardize(page.copy(), largest)[0].convert("RGB")


@contextmanager
def _opened(path: Openable) -> Iterator[IO[bytes]]:
    """The file to read; what goes wrong in the block is the file's fault."""
    with open_regular(path) if isinstance(path, Path) else path.open("rb") as file:
        try:
            yield file
        except FastTransferError:
            raise
        # Decoders answer damaged files with nearly every exception there is.
        except Exception as error:
            _log.info("%s: %s", type(error).__name__, path, exc_info=True)
            raise FastTransferError(
                f"{path} is damaged or cut short ({type(error).__name__}: {brief(error)})"
            ) from error


def _identified(
    file: IO[bytes], path: Openable, max_pixels: int, min_side: int | None = None
) -> Image.Image:
    """A picture of which only the header was read."""
    image = identify(file, str(path))
    width, height = image.size
    if width * height > max_pixels:
        raise FastTransferError(
            f"{path} has {width}×{height} pixels, more than max_pixels={max_pixels}; set a "
            "larger max_pixels if the file is trustworthy"
        )
    if min_side is not None:
        image.draft(None, (min_side, min_side))
    return image


def _animation(image: Image.Image) -> list[str]:
    frames = getattr(image, "n_frames", 1)
    # Phones store a second view in an MPO file; that is no animation.
    if frames == 1 or image.format == "MPO":
        return []
    if image.format == "TIFF":
        frames = _full_pages(image, frames)
    return [f"has {frames} frames, of which the first is used"] if frames > 1 else []


def _full_pages(image: Image.Image, pages: int) -> int:
    """Thumbnails and smaller copies do not count."""
    place, count = image.tell(), 0
    for page in range(pages):
        image.seek(page)
        count += is_full(image)
    image.seek(place)
    return count
