"""What a camera gives: frames, one after the other."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np


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
    longer = max(height, width)
    if longer <= size:
        return pixels
    shape = (max(1, round(width * size / longer)), max(1, round(height * size / longer)))
    return np.asarray(cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA))
