"""The second reader, libvips: for pictures too large to hold, with the same result as the first."""

from pathlib import Path
from typing import Any

from PIL import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from ...core.errors import FastTransferError, brief
from ...core.libraries import is_installed, require
from ...core.paths import open_regular
from .formats import identify

# Loaders by Pillow's name of the format. Asked for any file, libvips would try others too, of which some
# start other programs.
_LOADERS = {
    "PNG": "pngload",
    "JPEG": "jpegload",
    "MPO": "jpegload",
    "WEBP": "webpload",
    "TIFF": "tiffload",
}
# Modes of Pillow's that both readers take for the same. Not here: LAB, and values of 32 bits.
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "I;16", "I;16B", "I;16L")
_EXTRA_SAMPLES, _PREMULTIPLIED = 338, 1


def vips_loader(path: Path) -> str | None:
    """The function of libvips that reads the file as ``open_image`` does, or None if there is none.

    Raises:
        FastTransferError: it is no regular file.
    """
    if not is_installed("pyvips"):
        return None
    with open_regular(path) as file:
        try:
            image = identify(file, str(path))
        except Exception:  # the other reader will say what is wrong
            return None
        # A picture that is not the first of its file, or of a decoder of its own (icons), is not.
        if not isinstance(image, ImageFile.ImageFile) or image.fp is not file or image.tell() != 0:
            return None
        if image.mode not in _MODES:
            return None
        if isinstance(image, TiffImageFile) and image.tag_v2.get(_EXTRA_SAMPLES) == (
            _PREMULTIPLIED,
        ):
            return None
        return _LOADERS.get(image.format or "")


def open_by_vips(path: Path, loader: str) -> tuple[Any, tuple[str, ...]]:
    """A picture as libvips has it, not decoded yet: bytes in sRGB, upright, with alpha if there is any.

    Args:
        path: a picture file.
        loader: what ``vips_loader`` returned for it.

    Returns:
        The picture and notes on what was left out.

    Raises:
        FastTransferError: damaged or cut short, as far as the header shows.
    """
    vips: Any = require("pyvips", "large", "a large picture")
    load = getattr(vips.Image, loader)
    try:
        image = load(str(path), access="sequential", fail_on="error", revalidate=True)
        if image.get_typeof("orientation") and image.get("orientation") > 1:
            # A picture that is turned is read in another order than it is stored in.
            image = load(str(path), fail_on="error", revalidate=True).autorot()
        return _srgb(vips, image)
    except vips.Error as error:
        raise FastTransferError(f"{path} is damaged or cut short ({brief(error)})") from error


def _srgb(vips: Any, image: Any) -> tuple[Any, tuple[str, ...]]:
    notes: tuple[str, ...] = ()
    alpha = image.extract_band(image.bands - 1) if image.hasalpha() else None
    colors = image.extract_band(0, n=image.bands - 1) if alpha is not None else image
    converted = None
    if image.get_typeof("icc-profile-data"):
        try:
            # Perceptual, as Pillow does it; without depth, 16 bits would stay 16.
            converted = colors.icc_transform("srgb", embedded=True, intent="perceptual", depth=8)
        except vips.Error:
            notes = ("its color profile is damaged or does not fit and was ignored",)
    if converted is None:
        colors = _eight_bits(colors)
        if image.interpretation == "cmyk":  # libvips would take a printer's profile
            paper = 255 - colors
            converted = paper.extract_band(0, n=3) * paper.extract_band(3) / 255
        else:
            space = "b-w" if colors.bands < 3 else "srgb"
            converted = colors.copy(interpretation=space).colourspace("srgb")
    converted = converted.cast("uchar")
    if alpha is None:
        return converted, notes
    return converted.bandjoin(_eight_bits(alpha)), notes


def _eight_bits(image: Any) -> Any:
    return (image / 257).rint().cast("uchar") if image.format == "ushort" else image.cast("uchar")
