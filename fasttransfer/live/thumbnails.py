"""Small pictures of the styles, for the page: one bundled photo through each of them."""

from collections.abc import Sequence

import numpy as np

from ..core.assets import BUNDLED_PHOTOS
from ..images.reading import open_rgb
from ..stylizing.stylizer import Stylizer
from .frames import shrunk
from .shown import jpeg

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
    photo = shrunk(np.asarray(open_rgb(PHOTO, max_pixels=10**7)), STYLIZED)
    plain = {"strength": 1.0, "color": "style", "stroke_size": None}
    frames = [stylizer.with_settings(**plain).frame(photo) for stylizer in stylizers]
    return [jpeg(shrunk(frame, SHOWN), QUALITY) for frame in frames]
