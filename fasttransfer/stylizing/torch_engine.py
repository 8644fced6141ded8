"""PyTorch as an engine."""

import copy

import numpy as np
import torch
from torch import Tensor, nn

from ..core.errors import FastTransferError
from ..core.hardware import has_bfloat16, prefers_channels_last
from ..images.tensors import from_bytes, to_bytes
from ..models.transformer_net import TransformerNet


class TorchEngine:
    """PyTorch on any of its devices, in float32 or under bfloat16 autocast; see ``Engine``.

    Args:
        network: a copy of it is moved to ``device``.
        device: where it runs.
        precision: ``auto``, ``float32`` or ``bfloat16``.

    Raises:
        FastTransferError: a precision that the device does not have.
    """

    name = "torch"

    def __init__(self, network: TransformerNet, device: torch.device, precision: str) -> None:
        self.device = device
        self.precision = _precision(precision, device)
        last = prefers_channels_last(device)
        self._layout = torch.channels_last if last else torch.contiguous_format
        self._network = copy.deepcopy(network).eval().to(device).to(memory_format=self._layout)
        if self.precision == "bfloat16":  # what autocast does to a kernel in each pass, once
            for layer in self._network.modules():
                if isinstance(layer, nn.Conv2d):
                    layer.to(torch.bfloat16)

    @torch.inference_mode()
    def __call__(self, photos: Tensor) -> Tensor:
        """See ``Engine``."""
        return self._run(photos.to(self.device, torch.float32)).float()

    @torch.inference_mode()
    def frames(self, frames: np.ndarray) -> np.ndarray:
        """See ``Engine``."""
        photos = from_bytes(torch.from_numpy(frames).to(self.device))
        return to_bytes(self._run(photos)).contiguous().cpu().numpy()

    def _run(self, photos: Tensor) -> Tensor:
        bfloat16 = self.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16):
            return self._network(photos.contiguous(memory_format=self._layout))


def no_bfloat16(device: str) -> FastTransferError:
    """The sentence for a device that would only emulate it."""
    return FastTransferError(
        f"precision=bfloat16 is not supported by this {device}; write precision=auto"
    )


def _precision(precision: str, device: torch.device) -> str:
    if precision == "int8":
        raise FastTransferError(
            "precision=int8 needs engine=openvino; write that, or precision=auto"
        )
    if precision == "bfloat16" and not has_bfloat16(device):
        raise no_bfloat16(device.type)
    return "bfloat16" if precision != "float32" and has_bfloat16(device) else "float32"
