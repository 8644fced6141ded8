"""Decoded pixels of any mode as 8-bit sRGB, upright."""

import io

import numpy as np
from PIL import Image, ImageCms, ImageOps

from .tiff import is_white_zero


def standardize(image: Image.Image, largest: float = 0.0) -> tuple[Image.Image, tuple[str, ...]]:
    """Upright, sRGB, mode RGB or RGBA.

    Args:
        image: as Pillow decoded it.
        largest: of several pages that belong together, the largest value of those with more than
            8 bits, so that white is the same in all.

    Returns:
        The picture, and notes on what had to be left out.
    """
    notes = []
    white_zero = is_white_zero(image)
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except Exception:  # damaged metadata raises whatever it likes and must not cost the picture
        notes.append("its EXIF data is damaged, so its orientation is not known")
    profile = image.info.get("icc_profile")
    image = _eight_bits(image, largest, white_zero)
    alpha = None
    if image.has_transparency_data:
        image = image.convert("LA" if image.mode in ("L", "LA", "La") else "RGBA")
        alpha = image.getchannel("A")
        image = image.convert(image.mode[:-1])
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode not in ("L", "RGB", "CMYK", "LAB"):  # those that color profiles are made for
        image = image.convert("RGB")
    if profile or image.mode == "LAB":
        try:
            image = _to_srgb(image, profile or b"")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            notes.append("its color profile is damaged or does not fit and was ignored")
    image = image.convert("RGB")
    if alpha is not None:
        image.putalpha(alpha)
    return image, tuple(notes)


def largest_value(image: Image.Image) -> float:
    """Of the values of a picture with more than 8 bits; otherwise 0."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return 0.0
    return float(np.nan_to_num(np.asarray(image, np.float64), posinf=0, neginf=0).max())


def _eight_bits(image: Image.Image, largest: float, white_zero: bool) -> Image.Image:
    """Gray of 16 or 32 bits or in floating point to mode L; other modes as they are.

    Pillow's own conversion clips at 255. An integer picture without a value above 65535 counts as
    16 bits, otherwise as 31; a floating point one as its own kind of 1, 255, 65535 or its largest.
    """
    if image.mode != "F" and not image.mode.startswith("I"):
        return image
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0, neginf=0)
    largest = max(largest, float(values.max()))
    if image.mode == "F":
        white = next((w for w in (1.0, 255.0, 65535.0) if largest <= w), largest)
    else:
        white = 65535.0 if largest <= 65535 else 2.0**31 - 1
    if white_zero:
        values = white - values
    return Image.fromarray((values / white * 255).clip(0, 255).round().astype(np.uint8))


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    if image.mode == "LAB":  # absolute colors, for which Pillow has no other way to RGB
        source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    else:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if ImageCms.getProfileDescription(source).startswith("sRGB"):
            return image  # most photos: nothing to do, and no value off by one
    target = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    assert converted is not None  # None only if done in place
    return converted
