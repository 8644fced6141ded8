"""What a camera gives: frames, one after the other."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from ..images.sizes import fitted


@dataclass(frozen=True)
class CameraFrame:
    """One picture of a camera.

    Attributes:
        pixels: RGB bytes (H, W, 3).
        captured: when it was taken (``perf_counter``), or came from a browser.
        taken: of a browser's camera, the same in milliseconds since 1970 by that browser's clock.
    """

    pixels: np.ndarray
    captured: float
    taken: float | None = None


class Camera(Protocol):
    """Gives frames one after the other, at its own rate."""

    def read(self) -> CameraFrame | None:
        """The next frame, once it is there; None if there is none for a while.

        Raises:
            FastTransferError: it delivers no more frames; open it again.
        """
        ...

    def close(self) -> None:
        """Lets the camera go."""
        ...


def shrunk(pixels: np.ndarray, size: int) -> np.ndarray:
    """RGB bytes (H, W, 3) with a longer side of at most ``size``."""
    height, width = pixels.shape[:2]
    if max(height, width) <= size:
        return pixels
    shape = fitted((width, height), size)
    return np.asarray(cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA))
