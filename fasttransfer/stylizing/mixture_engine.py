"""Several engines as one: the mean of their pictures."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .engine import Engine


class MixtureEngine:
    """The weighted mean of what several engines return; see ``Engine``.

    Args:
        engines: all for the same device.
        weights: as many, which add up to 1.
    """

    def __init__(self, engines: Sequence[Engine], weights: Sequence[float]) -> None:
        self._engines = list(engines)
        self._weights = list(weights)

    @property
    def name(self) -> str:
        """Of the first engine."""
        return self._engines[0].name

    @property
    def precision(self) -> str:
        """Of the first engine."""
        return self._engines[0].precision

    @property
    def device(self) -> torch.device:
        """Of all engines."""
        return self._engines[0].device

    def __call__(self, photos: Tensor) -> Tensor:
        """See ``Engine``; each picture is clamped before it is mixed."""
        mixed = torch.zeros_like(photos, dtype=torch.float32, device=self.device)
        for engine, weight in zip(self._engines, self._weights, strict=True):
            mixed += weight * engine(photos).clamp(0, 1).to(self.device)
        return mixed

    def frames(self, frames: np.ndarray) -> np.ndarray:
        """See ``Engine``."""
        mixed = np.zeros(frames.shape, np.float32)
        for engine, weight in zip(self._engines, self._weights, strict=True):
            mixed += np.float32(weight) * engine.frames(frames)
        return mixed.round().clip(0, 255).astype(np.uint8)
