"""The style image: the one painting that a network is trained for."""

from ..core.assets import STYLE_IMAGES
from ..core.errors import FastTransferError, shown_name
from ..core.paths import expand_user
from ..core.renamed import current_style
from ..core.values import whole_number
from ..images.reading import open_rgb
from ..images.sizes import resized
from ..images.tensors import to_tensor

BUNDLED_LICENSE = "CC0-1.0"
MAX_PIXELS = 1_000_000_000  # chosen by a person, one at a time: only a safety net
LARGEST = 16_384  # a longer side, which no training could hold
SMALLEST = 64  # a side in pixels, below which no strokes are left to learn


class StyleImage:
    """A style image and what is said of it in the style file.

    Args:
        path: a picture file, or the name of a bundled style image.
        size: longer side in pixels that it is reduced or enlarged to; strokes in stylized pictures
            are as large as they are here.
        name: None takes the file's.
        license: None is that of the bundled images, or "not stated".
        strength: how much of it is wanted beside the content; 1 is what the loss has, 2 twice that.

    Attributes:
        image: float RGB (1, 3, H, W) in [0, 1].

    Raises:
        FastTransferError: no such picture, or one too small.
    """

    def __init__(
        self, path: str, size: int, name: str | None, license: str | None, strength: float
    ) -> None:
        file = expand_user(path)
        bundled = STYLE_IMAGES / f"{path if file.is_file() else current_style(path)}.jpg"
        is_bundled = bundled.is_file() and not file.is_file()
        whole_number("style.size", size, SMALLEST, most=LARGEST)
        if not is_bundled and not file.is_file():
            raise FastTransferError(
                f"There is no style image '{path}'; give a picture file or one of "
                f"{', '.join(bundled_style_images())}."
            )
        if not isinstance(strength, (int, float)) or not 0 <= strength < float("inf"):
            raise FastTransferError(f"style.strength={strength} must be a number from 0 on.")
        picture = open_rgb(bundled if is_bundled else file, max_pixels=MAX_PIXELS, min_side=size)
        picture = resized(picture, size)
        if min(picture.size) < SMALLEST:
            raise FastTransferError(
                f"The style image '{path}' is {picture.width}×{picture.height} pixels at "
                f"style.size={size}, and needs {SMALLEST} a side; give a larger style.size or a less "
                "narrow picture."
            )
        self.image = to_tensor(picture)[None]
        self.name = shown_name(
            name or (bundled if is_bundled else file).stem
        )  # a year may be a name
        self.size = size
        self.strength = float(strength)
        self.license = license or (BUNDLED_LICENSE if is_bundled else "not stated")


def bundled_style_images() -> list[str]:
    """Names of the style images that come with the package."""
    return sorted(path.stem for path in STYLE_IMAGES.glob("*.jpg"))
