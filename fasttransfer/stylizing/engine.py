"""What runs a network, whatever it is.

An engine takes photos as float tensors, or video frames as the bytes they are; the second way saves
two conversions a frame and is what videos and cameras use. All engines may be called from any number
of threads at once.
"""

from typing import Protocol

import numpy as np
import torch
from torch import Tensor


class Engine(Protocol):
    """What runs a network. Both calls take any height and width and return the same.

    Attributes:
        name: ``torch``, ``openvino`` or ``onnxruntime``.
        precision: what is computed in: ``float32``, ``bfloat16`` or ``int8``.
        device: where photos are best handed over.
    """

    @property
    def name(self) -> str:
        """See the class."""
        ...

    @property
    def precision(self) -> str:
        """See the class."""
        ...

    @property
    def device(self) -> torch.device:
        """See the class."""
        ...

    def __call__(self, photos: Tensor) -> Tensor:
        """Float RGB (B, 3, H, W) in [0, 1] to float32 RGB, linear, so it may leave [0, 1].

        Raises:
            FastTransferError: the engine cannot run this network.
        """
        ...

    def frames(self, frames: np.ndarray) -> np.ndarray:
        """RGB bytes (B, H, W, 3) to RGB bytes, clamped and rounded; raises what the other does."""
        ...
