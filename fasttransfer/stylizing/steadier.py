"""Stylized clips that do not boil: strokes move with the things that they are painted on.

A network paints each frame anew, and a small motion gives other strokes. Here the stylized *key frame*
is moved along the optical flow of the input for about a second, until the next one fades in. It is
always moved in a single step, so its strokes stay as sharp as the network painted them; the mean of
many frames, moved one after the other, would lose them. What the key frame does not show comes from
the last result, one step further, and what is new from the network's own frame.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ..core.libraries import require
from .motion import MotionFinder, Trail, coordinates, warped
from .settings import SteadySettings

PURPOSE = "steadying clips (steady=)"
LONGEST_GAP = 0.5  # seconds between two frames; after a longer one, the clip starts anew
LEAST_VISIBLE = 0.25  # of a frame; two with less in common are a cut
KEPT = 0.95  # of the last result, where the key frame does not show the pixel
DETAIL = 1.0  # pixels; what a blur of this size removes is detail
REDUCED = 4  # the amount of detail is compared in squares of so many pixels a side
NEIGHBORHOOD = 3  # such squares a side have their amounts averaged
MOST_GAIN = 3.0  # of detail that moving and fading have weakened
# From the ratio of its energies to that gain. 0.5 would restore the energy of detail, and not the
# mean gradient, to which coarser parts contribute.
GAIN_POWER = 0.6


class Steadier:
    """Stylizes the frames of a clip, one after the other, without boiling.

    The flow is found in a thread while the network runs. One clip at a time, from one thread at a
    time.

    Args:
        settings: how steady it is.
        amount: 0 (the network's own frames) to 1 (as steady as it can be).

    Raises:
        FastTransferError: OpenCV is not installed.
    """

    def __init__(self, settings: SteadySettings, amount: float = 1.0) -> None:
        self._cv2 = require("cv2", "video", PURPOSE)
        self._settings = settings
        self._amount = amount
        self._motion = MotionFinder(PURPOSE)
        self._pool = ThreadPoolExecutor(1, "flow")
        self._seconds: float | None = None  # of the last frame; None: the next one starts anew
        self._shape: tuple[int, ...] = ()  # of the frames
        self._key = self._last = np.empty(0, np.float32)  # stylized, (H, W, 3)
        self._next_key = self._faded_in = 0.0  # seconds: when there is another, and when this is in

    def restart(self) -> None:
        """Another clip follows."""
        self._seconds = None

    def __call__(
        self, content: np.ndarray, seconds: float, stylize: Callable[[np.ndarray], np.ndarray]
    ) -> np.ndarray:
        """Stylizes the next frame.

        Args:
            content: the frame, uint8 RGB (H, W, 3).
            seconds: when it is shown.
            stylize: makes a stylized frame from ``content``, uint8 RGB of any size.

        Returns:
            The steady one. It is exactly the one from ``stylize`` for the first frame, after a cut
            or a gap, and where the flow is not valid.
        """
        before, self._seconds = self._seconds, None  # after an error, the next frame starts anew
        goes_on = before is not None and 0 <= seconds - before <= LONGEST_GAP
        trails = None
        if goes_on and content.shape == self._shape:
            finding = self._pool.submit(self._motion.follow, content)
            try:
                stylized = stylize(content)
            finally:
                trails = finding.result()
        else:
            stylized = stylize(content)
        own = stylized.astype(np.float32)
        self._shape = content.shape
        cut = trails is None or trails[0].valid.mean() < LEAST_VISIBLE
        if trails is None or before is None or cut or own.shape != self._last.shape:
            self._motion.start(content)
            self._set_key(own, seconds, fade=0.0)
            self._last, self._seconds = own, seconds
            return stylized
        self._last, kept = self._carried(own, *trails, self._part(before, seconds))
        self._seconds = seconds
        if seconds >= self._next_key:
            self._motion.set_key()
            self._set_key(own, seconds, fade=self._settings.fade_seconds)
        return self._shown(own, kept)

    def _set_key(self, own: np.ndarray, seconds: float, fade: float) -> None:
        self._key = own
        self._next_key, self._faded_in = seconds + self._settings.key_seconds, seconds + fade

    def _part(self, before: float, seconds: float) -> float:
        """How much of the key frame goes into the last result, so that it fades in evenly."""
        left = self._faded_in - before
        return 1.0 if seconds >= self._faded_in else (seconds - before) / left

    def _carried(
        self, own: np.ndarray, step: Trail, from_key: Trail, part: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """The next result (H, W, 3), and where (H, W) it is not only the network's own."""
        moved, one_step = self._moved(self._last, step)
        key, known = self._moved(self._key, from_key)
        result = self._mixed(own, moved, KEPT * one_step)
        return self._mixed(result, key, part * known), np.maximum(one_step, known) > 0

    def _mixed(self, own: np.ndarray, other: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """``own`` plus so much (H, W) of its difference to ``other``, in the place of ``other``."""
        other -= own  # without arrays in between, which take longer than the sums
        other *= self._deep(weights)
        other += own
        return other

    def _moved(self, frame: np.ndarray, trail: Trail) -> tuple[np.ndarray, np.ndarray]:
        """An earlier result, moved, and how far that is valid: (H, W), 0 where it is not."""
        cv2 = self._cv2
        (height, width), (low_height, low_width) = frame.shape[:2], trail.valid.shape
        scaled = trail.flow * np.array([width / low_width, height / low_height], np.float32)
        flow = cv2.resize(scaled, (width, height), interpolation=cv2.INTER_LINEAR)
        valid = trail.valid.astype(np.uint8)
        inner = cv2.erode(valid, np.ones((3, 3), np.uint8)).astype(np.float32)
        soft = cv2.blur(inner, (3, 3)) * valid  # towards what is not valid
        soft = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
        return warped(frame, coordinates(flow), cv2.INTER_CUBIC), soft

    def _shown(self, own: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """The result as bytes, with as much detail around each pixel as the network's own frame."""
        cv2, result = self._cv2, self._last
        height, width = kept.shape
        detail = result - cv2.GaussianBlur(result, (0, 0), DETAIL)
        gray = cv2.cvtColor(own, cv2.COLOR_RGB2GRAY)
        wanted = self._energy(gray - cv2.GaussianBlur(gray, (0, 0), DETAIL))
        there = self._energy(cv2.cvtColor(detail, cv2.COLOR_RGB2GRAY))  # a blur of gray is gray
        gain = np.clip(((wanted + 1) / (there + 1)) ** GAIN_POWER, 1, MOST_GAIN) - 1
        gain = cv2.resize(gain, (width, height), interpolation=cv2.INTER_LINEAR) * kept
        detail *= self._deep(gain)
        detail += result
        shown = np.clip(detail, 0, 255, out=detail)
        if self._amount < 1:
            shown = own + self._amount * (shown - own)
        return np.rint(shown, out=shown).astype(np.uint8)

    def _energy(self, detail: np.ndarray) -> np.ndarray:
        """How much detail (H, W) there is in each neighborhood: in squared levels, at a reduced size."""
        cv2, (height, width) = self._cv2, detail.shape
        size = (max(1, width // REDUCED), max(1, height // REDUCED))
        small = cv2.resize(detail * detail, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.blur(small, (NEIGHBORHOOD, NEIGHBORHOOD)))

    def _deep(self, weights: np.ndarray) -> np.ndarray:
        """(H, W) as (H, W, 3), which is faster than to broadcast it."""
        return np.asarray(self._cv2.merge([weights, weights, weights]))
