"""Pictures as a player shows the frames of a clip, and as the file stores them."""

from collections.abc import Sequence

from PIL import Image

_FLIP_X, _FLIP_Y = Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM


def as_stored(image: Image.Image, display_matrix: Sequence[int] | None) -> Image.Image:
    """A picture that fits the clip as it is shown, turned as its frames are stored.

    Args:
        image: any picture.
        display_matrix: see ``Clip``; turns that are not by right angles are left out.
    """
    (a, b), (c, d) = _corner(display_matrix)
    if b and c and not (a or d):  # x' = c·y and y' = b·x
        return _flipped(image.transpose(Image.Transpose.TRANSPOSE), b, c)
    return _flipped(image, a, d) if not (b or c) else image


def as_shown(image: Image.Image, display_matrix: Sequence[int] | None) -> Image.Image:
    """A stored frame as a player shows it; undoes ``as_stored``."""
    (a, b), (c, d) = _corner(display_matrix)
    if b and c and not (a or d):
        return _flipped(image.transpose(Image.Transpose.TRANSPOSE), c, b)
    return _flipped(image, a, d) if not (b or c) else image


def _corner(matrix: Sequence[int] | None) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where x' = a·x + c·y and y' = b·x + d·y."""
    if matrix is None:
        return (1, 0), (0, 1)
    return (matrix[0], matrix[1]), (matrix[3], matrix[4])


def _flipped(image: Image.Image, along_x: int, along_y: int) -> Image.Image:
    if along_x < 0:
        image = image.transpose(_FLIP_X)
    return image.transpose(_FLIP_Y) if along_y < 0 else image
