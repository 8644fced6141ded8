"""One trained network behind one call, whoever executes it.

An engine takes photos as float tensors, or video frames as the bytes they are; the second way saves
two conversions a frame and is what videos and cameras use.
"""

from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from .checkpoint import StyleFile
from .errors import FastTransferError
from .hardware import has_bfloat16, pick_device


class Engine(Protocol):
    """What runs a network. Both calls take any height and width and return the same."""

    name: str
    precision: str
    device: torch.device  # where photos are best handed over

    def __call__(self, photos: Tensor) -> Tensor:
        """Float RGB (B, 3, H, W) in [0, 1] to float32 RGB, linear, so it may leave [0, 1]."""
        ...

    def frames(self, frames: np.ndarray) -> np.ndarray:
        """RGB bytes (B, H, W, 3) to RGB bytes, clamped and rounded."""
        ...


class OnFrames(nn.Module):
    """A network on RGB bytes, as cameras and videos have them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor) -> Tensor:
        """uint8 (B, H, W, 3) to the same, clamped and rounded."""
        return to_bytes(self.network(from_bytes(frames)))


def from_bytes(frames: Tensor) -> Tensor:
    """uint8 (B, H, W, 3) to float32 (B, 3, H, W) in [0, 1]."""
    return frames.permute(0, 3, 1, 2).to(torch.float32) / 255


def to_bytes(photos: Tensor) -> Tensor:
    """(B, 3, H, W) to uint8 (B, H, W, 3); clamped to [0, 1] and rounded."""
    return (photos.float().clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)


class TorchEngine:
    """PyTorch on any of its devices, in float32 or under bfloat16 autocast."""

    name = "torch"

    def __init__(self, network: nn.Module, device: torch.device, precision: str) -> None:
        self.device = device
        self.precision = _torch_precision(precision, device)
        # On the CPU, instance norm copies every channels_last tensor to and fro (measured: 1.0 to
        # 1.3 times the processor time, for `default` as for `johnson`).
        self._layout = torch.contiguous_format if device.type == "cpu" else torch.channels_last
        self._network = network.eval().to(device).to(memory_format=self._layout)

    @torch.inference_mode()
    def __call__(self, photos: Tensor) -> Tensor:
        """See ``Engine``."""
        return self._reduced(photos.to(self.device, torch.float32)).float()

    @torch.inference_mode()
    def frames(self, frames: np.ndarray) -> np.ndarray:
        """See ``Engine``."""
        photos = from_bytes(torch.from_numpy(frames).to(self.device))
        return to_bytes(self._reduced(photos)).contiguous().cpu().numpy()

    def _reduced(self, photos: Tensor) -> Tensor:
        bfloat16 = self.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16):
            return self._network(photos.contiguous(memory_format=self._layout))


def open_engine(style: StyleFile, device: str, precision: str) -> Engine:
    """The engine for a style.

    Args:
        style: whose network is run.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``, …
        precision: ``float32``, ``bfloat16``, or ``auto``: bfloat16 where the device has it.

    Raises:
        FastTransferError: a device or precision that cannot be used here.
    """
    return TorchEngine(style.network, pick_device(device), precision)


def _torch_precision(precision: str, device: torch.device) -> str:
    if precision not in ("auto", "float32", "bfloat16"):
        raise FastTransferError(f"precision={precision} must be auto, float32 or bfloat16")
    if precision == "bfloat16" and not has_bfloat16(device):
        raise FastTransferError(
            f"precision=bfloat16 needs a device with instructions for it, which this {device.type} "
            "has not; write precision=auto"
        )
    return "bfloat16" if precision != "float32" and has_bfloat16(device) else "float32"
