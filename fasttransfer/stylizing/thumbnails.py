"""Small pictures of styles, for pages: one bundled photo through each of them."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from ..core.assets import BUNDLED_PHOTOS
from ..images.reading import open_rgb
from ..images.sizes import resized
from .stylizer import Stylizer

PHOTO = BUNDLED_PHOTOS["bundled-probe"] / "chenonceau.jpg"
STYLIZED = 320  # longer side in pixels: a smaller picture would show single strokes
SHOWN = 160
QUALITY = 85


def make_thumbnails(stylizers: Sequence[Stylizer]) -> list[bytes]:
    """A JPEG for each style, at full strength, in the style's colors.

    An engine prepares itself at its first frame, so none has to while it is watched.

    Raises:
        FastTransferError: an engine that cannot run a network.
    """
    photo = np.array(resized(open_rgb(PHOTO, max_pixels=10**7), STYLIZED))
    plain = {"strength": 1.0, "color": "style", "stroke_size": None}
    frames = [stylizer.with_settings(**plain).frame(photo) for stylizer in stylizers]
    return [_jpeg(resized(Image.fromarray(frame), SHOWN)) for frame in frames]


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
