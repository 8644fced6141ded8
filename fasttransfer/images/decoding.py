"""Whatever a picture file holds, as 8-bit sRGB, upright: the odd kinds of files end here."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Protocol

import numpy as np
from PIL import Image, ImageCms, ImageOps, ImageSequence

from ..core.errors import FastTransferError, brief


class Openable(Protocol):
    """A file, or what can be read like one; ``str`` of it is its name."""

    def open(self, mode: Any) -> IO[Any]: ...


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


def open_image(
    path: Openable, *, max_pixels: int, min_side: int | None = None
) -> tuple[Image.Image, tuple[str, ...]]:
    """Decodes a picture file to 8-bit sRGB, upright, whatever is inside and whatever its ending.

    Args:
        path: any file that Pillow reads; of an animated one the first frame.
        max_pixels: a picture whose header announces more is refused before it is decoded.
        min_side: where the caller shrinks the picture anyway, the shorter side that must remain;
            a JPEG is then decoded at 1/2, 1/4 or 1/8 of its size, which is several times faster.

    Returns:
        The picture in mode RGB or RGBA, and notes on what was left out.

    Raises:
        FastTransferError: missing, empty, damaged, no picture, or too large.
    """
    with _identified(path, max_pixels) as image:
        if min_side is not None:
            image.draft(None, (min_side, min_side))
        notes = _animation(image)  # before the pixels: counting frames would discard them
        return _standardize(image, notes)


def read_size(path: Openable, *, max_pixels: int) -> tuple[int, int]:
    """Width and height as the file's header has them, before it is turned upright; raises what
    ``open_image`` raises, but does not see damage behind the header."""
    with _identified(path, max_pixels) as image:
        return image.size


def open_pages(path: Openable, *, max_pixels: int) -> Iterator[Image.Image]:
    """All pages of a file in mode RGB, one after the other; raises what ``open_image`` raises.

    What is white is the same in all of them."""
    with _identified(path, max_pixels) as image:
        largest = max(_largest(page) for page in ImageSequence.Iterator(image))
        for page in ImageSequence.Iterator(image):
            yield _standardize(page.copy(), [], largest)[0].convert("RGB")


def _largest(image: Image.Image) -> float:
    """Of the values of a picture with more than 8 bits."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return 0.0
    return float(np.nan_to_num(np.asarray(image, np.float64), posinf=0, neginf=0).max())


@contextmanager
def _identified(path: Openable, max_pixels: int) -> Iterator[Image.Image]:
    """A picture of which only the header was read; what goes wrong in the block is the file's fault."""
    try:
        with path.open("rb") as file:
            image = _identify(file, path)
            width, height = image.size
            if width * height > max_pixels:
                raise FastTransferError(
                    f"{path} has {width}×{height} pixels, more than max_pixels={max_pixels}; set a "
                    "larger max_pixels if the file is trustworthy"
                )
            yield image
    except FastTransferError:
        raise
    except FileNotFoundError as error:
        raise FastTransferError(f"{path} does not exist; check the spelling") from error
    except (PermissionError, IsADirectoryError) as error:
        raise FastTransferError(f"{path} cannot be opened ({error.strerror})") from error
    # Pillow's decoders answer damaged files with nearly every exception there is.
    except Exception as error:
        raise FastTransferError(f"{path} is damaged or cut short ({brief(error)})") from error


def _identify(file: IO[bytes], path: Openable) -> Image.Image:
    """Reads a picture's header.

    ``Image.open`` would compare its size with a limit that belongs to the whole process; asking the
    formats one by one leaves the limit to the caller, in every thread.
    """
    prefix = file.read(16)
    if not prefix:
        raise FastTransferError(f"{path} is empty")
    seen: set[str] = set()
    for load_formats in (Image.preinit, Image.init):  # the common formats first, then all
        load_formats()
        for name in [name for name in Image.ID if name not in seen]:
            seen.add(name)
            factory, accept = Image.OPEN[name]
            accepted = accept is None or accept(prefix)
            if not accepted or isinstance(accepted, str):  # a string is a reason why not
                continue
            file.seek(0)
            try:
                return factory(file, str(path))
            except (SyntaxError, IndexError, TypeError, ValueError, KeyError, EOFError):
                continue  # another format may know it
    raise FastTransferError(
        f"{path} is not a picture that can be read here; save it as JPEG or PNG first"
    )


def _animation(image: Image.Image) -> list[str]:
    frames = getattr(image, "n_frames", 1)
    # Phones store a second view in an MPO file; that is no animation.
    if frames == 1 or image.format == "MPO":
        return []
    return [f"has {frames} frames, of which the first is used"]


def _standardize(
    image: Image.Image, notes: list[str], largest: float = 0.0
) -> tuple[Image.Image, tuple[str, ...]]:
    """Upright, sRGB, mode RGB or RGBA; what had to be left out is added to ``notes``."""
    image.load()
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except Exception:  # damaged metadata raises whatever it likes and must not cost the picture
        notes.append("its EXIF data is damaged, so its orientation is not known")
    profile = image.info.get("icc_profile")
    image = _eight_bits(image, largest)
    alpha = None
    if image.has_transparency_data:
        image = image.convert("LA" if image.mode in ("L", "LA", "La") else "RGBA")
        alpha = image.getchannel("A")
        image = image.convert(image.mode[:-1])
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode not in ("L", "RGB", "CMYK", "LAB"):  # those that colour profiles are made for
        image = image.convert("RGB")
    if profile or image.mode == "LAB":
        try:
            image = _to_srgb(image, profile or b"")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            notes.append("its colour profile is damaged or does not fit and was ignored")
    image = image.convert("RGB")
    if alpha is not None:
        image.putalpha(alpha)
    return image, tuple(notes)


def _eight_bits(image: Image.Image, largest: float) -> Image.Image:
    """Grey of 16 or 32 bits or in floating point to mode L; other modes as they are.

    Pillow's own conversion clips at 255. An integer picture without a value above 65535 counts as
    16 bits, otherwise as 31; a floating point one as its own kind of 1, 255, 65535 or its largest. Of
    several pages that belong together, ``largest`` is the largest value.
    """
    if image.mode != "F" and not image.mode.startswith("I"):
        return image
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0, neginf=0)
    largest = max(largest, float(values.max()))
    if image.mode == "F":
        white = next((w for w in (1.0, 255.0, 65535.0) if largest <= w), largest)
    else:
        white = 65535.0 if largest <= 65535 else 2.0**31 - 1
    return Image.fromarray((values / white * 255).clip(0, 255).round().astype(np.uint8))


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    if image.mode == "LAB":  # absolute colours, for which Pillow has no other way to RGB
        source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    else:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if ImageCms.getProfileDescription(source).startswith("sRGB"):
            return image  # most photos: nothing to do, and no value off by one
    target = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    assert converted is not None  # None only if done in place
    return converted
