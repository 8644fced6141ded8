"""Stylizes the frames of a camera, steadily where that is wanted."""

import numpy as np

from ..images.masks import Mask
from ..stylizing.settings import SteadySettings
from ..stylizing.steadier import Steadier
from ..stylizing.stylizer import Stylizer


class Painter:
    """Stylizes frames one after the other, in whatever style is wanted for each.

    Args:
        steady: 0 (each frame by itself) to 1 (strokes stay where they are).
    """

    def __init__(self, steady: float) -> None:
        self._steadier = Steadier(SteadySettings(), steady) if steady > 0 else None
        self._last: tuple[str, str] | None = None  # style and camera of the last steady frame

    def __call__(
        self,
        frame: np.ndarray,
        seconds: float,
        stylizer: Stylizer,
        camera: str,
        mask: Mask | None = None,
    ) -> np.ndarray:
        """A stylized frame, both uint8 RGB (H, W, 3).

        Args:
            frame: what is stylized.
            seconds: when it was taken.
            stylizer: stylizes it; one with another name starts anew, as does another ``camera``.
            camera: where it is from.
            mask: where it is stylized; None: everywhere.
        """
        if self._steadier is None or stylizer.settings.strength == 0:
            self._last = None
            return stylizer.frame(frame, mask)
        if self._last != (stylizer.name, camera):
            self._steadier.restart()
            self._last = stylizer.name, camera
        full = stylizer.at_full_strength
        of_two = mask if stylizer.other is not None else None
        painted = self._steadier(frame, seconds, lambda pixels: full.frame(pixels, of_two))
        return stylizer.finish(painted, frame, mask)
