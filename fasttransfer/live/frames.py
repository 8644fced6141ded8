"""What a camera gives: frames, one after the other."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from ..images.sizes import fitted


@dataclass(frozen=True)
class CameraFrame:
    """One picture of a camera: RGB bytes (H, W, 3), and when it was taken (``perf_counter``)."""

    pixels: np.ndarray
    captured: float


class Camera(Protocol):
    """Gives frames one after the other, at its own rate."""

    def read(self) -> CameraFrame:
        """The next frame, once it is there.

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
