"""What is set on the page, and the picture that all windows get."""

import time
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np


@dataclass(frozen=True)
class Choice:
    """What a person sets on the page."""

    style: str
    strength: float
    color: str
    camera: str
    second: str | None = None  # another style in the same picture
    share: float = 0.5  # of the second one
    mask: str = "none"  # of ``CameraMasks.offered``
    invert: bool = False  # white and black of the mask exchanged

    @property
    def name(self) -> str:
        """For files."""
        return self.style if self.second is None else f"{self.style}-{self.second}"


@dataclass
class Shown:
    """One stylized picture, as every window gets it."""

    number: int
    captured: float  # perf_counter
    content: np.ndarray  # RGB bytes (H, W, 3), as the network got it
    stylized: np.ndarray
    milliseconds: float  # of the network
    choice: Choice
    quality: int
    taken: float | None = None  # by a browser's clock, see ``CameraFrame``

    @property
    def age(self) -> float:
        """Seconds since the camera took it."""
        return time.perf_counter() - self.captured

    @cached_property
    def stylized_jpeg(self) -> bytes:
        """Encoded once, for all windows."""
        return jpeg(self.stylized, self.quality)

    @cached_property
    def content_jpeg(self) -> bytes:
        """The original, for windows that show the wipe."""
        return jpeg(self.content, self.quality)


def jpeg(pixels: np.ndarray, quality: int) -> bytes:
    """RGB bytes (H, W, 3) as a JPEG file of this quality, 1 to 100."""
    done, encoded = cv2.imencode(
        ".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    assert done
    return encoded.tobytes()
