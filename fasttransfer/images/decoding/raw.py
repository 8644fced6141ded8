"""Raw files of cameras, developed by LibRaw: in the camera's white balance, sRGB, upright."""

from typing import Any

import numpy as np
from PIL import Image, ImageFile

from ...core.libraries import require


class RawImageFile(ImageFile.ImageFile):
    """A raw file as an image of Pillow's, developed when its pixels are needed."""

    format = "RAW"
    format_description = "raw file of a camera"

    def _open(self) -> None:
        rawpy: Any = require("rawpy", "raw", "a raw file of a camera")
        self._raw = rawpy.imread(self.fp)
        self._options: dict[str, Any] = {
            "use_camera_wb": True,
            "output_color": rawpy.ColorSpace.sRGB,
            "output_bps": 8,
        }
        sizes = self._raw.sizes
        turned = sizes.flip in (5, 6)  # quarter turns
        self._mode = "RGB"
        self._size = (sizes.iheight, sizes.iwidth) if turned else (sizes.iwidth, sizes.iheight)
        self.tile = []

    def draft(self, mode: str | None, size: tuple[int, int] | None) -> None:
        """Develops at half the size where that is enough, which is several times faster."""
        if size is not None and min(self.size) >= 2 * min(size):
            self._options["half_size"] = True

    def load(self) -> Any:
        """Develops the picture, once."""
        if self._im is None:
            pixels = np.ascontiguousarray(self._raw.postprocess(**self._options)[..., :3])
            developed = Image.fromarray(pixels)
            self._raw.close()
            self._size = developed.size
            self.im = developed.im
        return Image.Image.load(self)
