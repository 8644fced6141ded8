"""Where the things in a frame of a clip were before: optical flow, and where it can be trusted.

The flow is that of Kroeger et al. 2016, "Fast Optical Flow using Dense Inverse Search"
(arXiv:1603.03590), which OpenCV brings, at half the size of the frames. It is trusted where the flow
back leads home (Sundaram et al. 2010, doi:10.1007/978-3-642-15549-9_32) and the colors agree.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.libraries import require

LONGER = 320  # pixels; frames are halved, but not below this longer side
SHORTEST = 32  # pixels of a side that the search requires
COLOR = 10  # levels by which red, green, and blue of the same thing may differ between two frames
NOT_HOME = 0.5  # squared pixels of the frame by which the flow back may miss where it started
NOT_HOME_SHARE = 0.01  # what it may miss besides, as a share of the squared lengths
# Pixels per pixel by which neighbors may part in a step, or since the key frame (a zoom adds up).
# More is the edge of something that moves: its flow is blurred, and would smear strokes.
STEP_PARTING, KEY_PARTING = 0.2, 0.5


@dataclass(frozen=True)
class Trail:
    """Where each pixel of a frame was in an earlier one, at the size at which flow is found.

    Attributes:
        flow: float32 (h, w, 2), x first, in pixels of that size: frame(p) ≈ earlier(p + flow(p)).
        valid: bool (h, w), true where the earlier frame shows the same thing.
    """

    flow: np.ndarray
    valid: np.ndarray


class MotionFinder:
    """Follows a clip frame by frame, and remembers one of them, the key frame.

    To be called by one thread at a time, ``start`` first.

    Args:
        purpose: what the flow is for, as the subject of a sentence.

    Raises:
        FastTransferError: OpenCV is not installed.
    """

    def __init__(self, purpose: str) -> None:
        self._cv2 = require("cv2", "video", purpose)
        # Two thirds of the time of the preset MEDIUM, and nearly as good here.
        self._search = self._cv2.DISOpticalFlow_create(self._cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._search.setGradientDescentIterations(12)
        self._search.setVariationalRefinementIterations(3)
        self._search.setPatchStride(5)
        self._last = self._key = np.empty(0)  # float32 RGB (h, w, 3), without most of the noise
        self._gray = np.empty(0)  # uint8 (h, w), the last frame
        self._from_key = Trail(np.empty(0), np.empty(0))

    def start(self, frame: np.ndarray) -> None:
        """Begins with a frame, uint8 RGB (H, W, 3), as if there were none before."""
        self._last, self._gray = self._reduced(frame)
        self.set_key()

    def set_key(self) -> None:
        """Makes the newest frame the key frame."""
        still = np.zeros((*self._gray.shape, 2), np.float32)
        self._key = self._last
        self._from_key = Trail(still, np.ones(self._gray.shape, bool))

    def follow(self, frame: np.ndarray) -> tuple[Trail, Trail]:
        """Takes the next frame, uint8 RGB, of the same size.

        Returns:
            Its trails to the frame before, and to the key frame. A pixel is lost to the key frame
            for good where the flow back did not lead home on the way; where only the color differs,
            it may come back.
        """
        before, gray_before = self._last, self._gray
        now, gray = self._reduced(frame)
        flow = self._search.calc(gray, gray_before, None)
        back = self._search.calc(gray_before, gray, None)
        to = coordinates(flow)
        home = self._leads_home(flow, self._at(back, to), frame.shape[1] / gray.shape[1])
        home &= self._inside(to)
        step = Trail(flow, home & self._agrees(before, now, flow, STEP_PARTING))
        known = home & (self._at(self._from_key.valid.astype(np.float32), to) > 0.5)
        chained = self._at(self._from_key.flow, to) + flow
        self._last, self._gray, self._from_key = now, gray, Trail(chained, known)
        agrees = self._agrees(self._key, now, chained, KEY_PARTING)
        return step, Trail(chained, known & agrees & self._inside(coordinates(chained)))

    def _leads_home(self, flow: np.ndarray, back: np.ndarray, scale: float) -> np.ndarray:
        """Whether ``back``, found where ``flow`` leads, undoes it; ``scale`` is that of the frame."""
        lengths = self._squares(flow) + self._squares(back)
        most = NOT_HOME_SHARE * lengths + NOT_HOME / scale**2
        return np.asarray(self._squares(flow + back) <= most)

    def _agrees(
        self, earlier: np.ndarray, now: np.ndarray, flow: np.ndarray, most: float
    ) -> np.ndarray:
        """Where the colors are the same, and neighbors part by at most ``most``."""
        cv2 = self._cv2
        difference = cv2.absdiff(self._at(earlier, coordinates(flow)), now)
        alike = cv2.inRange(difference, (0.0,) * 3, (float(COLOR),) * 3)
        parting = cv2.morphologyEx(flow, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8))
        return np.asarray((alike & cv2.inRange(parting, (0.0, 0.0), (most, most))) > 0)

    def _inside(self, to: np.ndarray) -> np.ndarray:
        height, width = to.shape[:2]
        return np.asarray(self._cv2.inRange(to, (0.0, 0.0), (width - 1.0, height - 1.0)) > 0)

    def _squares(self, flow: np.ndarray) -> np.ndarray:
        """Squared lengths (h, w) of (h, w, 2)."""
        return np.asarray(self._cv2.transform(flow * flow, np.ones((1, 2), np.float32)))

    def _at(self, values: np.ndarray, to: np.ndarray) -> np.ndarray:
        return warped(values, to, self._cv2.INTER_LINEAR)

    def _reduced(self, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A frame at the size at which flow is found: without most of the noise, and in gray."""
        cv2, (height, width) = self._cv2, frame.shape[:2]
        share = min(1.0, max(0.5, LONGER / max(height, width)))
        size = [max(SHORTEST, round(share * side)) for side in (width, height)]
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        return cv2.blur(small.astype(np.float32), (3, 3)), gray


def coordinates(flow: np.ndarray) -> np.ndarray:
    """Where the flow leads: p + flow(p) for each pixel p, float32 (H, W, 2), x first."""
    height, width = flow.shape[:2]
    to = flow.copy()
    to[..., 0] += np.arange(width, dtype=np.float32)
    to[..., 1] += np.arange(height, dtype=np.float32)[:, None]
    return to


def warped(values: np.ndarray, to: np.ndarray, interpolation: int) -> np.ndarray:
    """``values`` (H, W) or (H, W, C) at the places ``to`` (h, w, 2); the border goes on outside."""
    import cv2

    # OpenCV's stubs want a second map, which its documentation leaves out for maps of pairs.
    nothing: Any = None
    return cv2.remap(values, to, nothing, interpolation, borderMode=cv2.BORDER_REPLICATE)
