"""Sizes of pictures that are made smaller or larger, by their longer side."""

from PIL import Image


def fitted(size: tuple[int, int], longer: int) -> tuple[int, int]:
    """Both sides, in either order, once the longer one has ``longer`` pixels; each at least 1."""
    longest = max(size)
    first, second = (max(1, round(side * longer / longest)) for side in size)
    return first, second


def resized(picture: Image.Image, longer: int) -> Image.Image:
    """The picture with a longer side of ``longer`` pixels."""
    return picture.resize(fitted(picture.size, longer), Image.Resampling.LANCZOS)
