"""One picture or batch in memory through one style: size, precision, colour and strength."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from .checkpoint import StyleFile, find_style, load_style
from .errors import FastTransferError
from .hardware import has_bfloat16, pick_device
from .images import keep_colours, resize

# What PyTorch says when memory runs out; only CUDA has an exception of its own.
_OUT_OF_MEMORY = ("out of memory", "allocate memory", "not enough memory")


class Stylizer:
    """Content in, stylized out, both float RGB in [0, 1].

    Args:
        style: a bundled style's name, a style file, a run folder, or a style that is loaded.
        size: longer side of the output in pixels; None leaves the content's size.
        colour: ``style``, or ``content`` to keep the photo's own colours.
        strength: 0 (exactly the content) to 1 (exactly the network); pixels between are mixed.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``, …
        precision: ``float32``, ``bfloat16``, or ``auto``: bfloat16 where the device has it.

    Raises:
        FastTransferError: an argument that cannot be used, or a style that cannot be read.
    """

    def __init__(
        self,
        style: str | Path | StyleFile,
        size: int | None,
        colour: str,
        strength: float,
        device: str,
        precision: str,
    ) -> None:
        if size is not None and (not isinstance(size, int) or size < 1):
            raise FastTransferError(
                f"size={size} must be the longer side in whole pixels, or null for the input's own"
            )
        if colour not in ("style", "content"):
            raise FastTransferError(f"colour={colour} must be style or content")
        if not isinstance(strength, (int, float)) or not 0 <= strength <= 1:
            raise FastTransferError(f"strength={strength} must be a number from 0 to 1")
        self.size = size
        self.colour = colour
        self.strength = float(strength)
        self.device = pick_device(device)
        self.dtype = _pick_dtype(precision, self.device)
        loaded = style if isinstance(style, StyleFile) else load_style(find_style(style))
        self.name = loaded.name
        # On the CPU, instance norm copies every channels_last tensor to and fro (measured: 1.0 to
        # 1.3 times the processor time, for `default` as for `johnson`).
        channels_last = self.device.type != "cpu"
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.network = loaded.network.eval().to(self.device).to(memory_format=self.layout)

    @torch.inference_mode()
    def __call__(self, content: Tensor) -> Tensor:
        """Stylizes (3, H, W) or (B, 3, H, W) in [0, 1]; same kind, device and range out, float32.

        Raises:
            FastTransferError: the picture does not fit into memory.
        """
        if content.ndim == 3:
            return self(content[None])[0]
        with _memory_in_one_sentence(content):
            photo = content.to(self.device, torch.float32)
            if self.size is not None:
                photo = resize(photo, self.size)
            if self.strength == 0:
                return photo.to(content.device)
            stylized = self._run(photo).clamp(0, 1)
            if self.colour == "content":
                stylized = keep_colours(stylized, photo)
            return torch.lerp(photo, stylized, self.strength).to(content.device)

    def _run(self, photo: Tensor) -> Tensor:
        reduced = self.dtype != torch.float32
        with torch.autocast(self.device.type, torch.bfloat16, enabled=reduced):
            return self.network(photo.contiguous(memory_format=self.layout)).float()


def _pick_dtype(precision: str, device: torch.device) -> torch.dtype:
    if precision not in ("auto", "float32", "bfloat16"):
        raise FastTransferError(f"precision={precision} must be auto, float32 or bfloat16")
    if precision == "bfloat16" and not has_bfloat16(device):
        raise FastTransferError(
            f"precision=bfloat16 needs a device with instructions for it, which this {device.type} "
            "has not; write precision=auto"
        )
    wanted = precision != "float32" and has_bfloat16(device)
    return torch.bfloat16 if wanted else torch.float32


@contextmanager
def _memory_in_one_sentence(content: Tensor) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, MemoryError) as error:  # torch.OutOfMemoryError is a RuntimeError
        told = str(error).lower()
        if not isinstance(error, MemoryError) and not any(w in told for w in _OUT_OF_MEMORY):
            raise
        height, width = content.shape[-2:]
        raise FastTransferError(
            f"a picture of {width}×{height} pixels does not fit into memory; set size= to a "
            "smaller longer side, for instance size=2048"
        ) from error
