"""One picture or batch in memory through one style: size, precision, colour and strength."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..core.errors import FastTransferError
from ..images.regions import Region
from ..images.tensors import from_bytes, keep_colors, resize, resize_to, to_bytes
from ..models.style_file import StyleFile, find_style, load_style
from .engines import Engine, open_engine
from .strokes import GuidedUpsampler

# What PyTorch says when memory runs out; only CUDA has an exception of its own.
_OUT_OF_MEMORY = ("out of memory", "allocate memory", "not enough memory")


class Stylizer:
    """Content in, stylized out, both float RGB in [0, 1].

    Args:
        style: a bundled style's name, a style file, a run folder, or a style that is loaded.
        size: longer side of the output in pixels; None leaves the content's size.
        colour: ``style``, or ``content`` to keep the photo's own colours.
        strength: 0 (exactly the content) to 1 (exactly the network); pixels between are mixed.
            It may be set anew between two calls, as ``colour`` may.
        stroke_size: longer side in pixels of the picture in which strokes are as large as the style
            was trained with: they then keep their share of the picture at any size of it, so a
            preview and a print agree. None: they keep their pixels, and look finer in larger pictures.
        engine, device, precision: what runs the network, see ``open_engine``.

    Raises:
        FastTransferError: an argument that cannot be used, or a style that cannot be read.
    """

    def __init__(
        self,
        style: str | Path | StyleFile,
        size: int | None,
        colour: str,
        strength: float,
        stroke_size: int | None,
        engine: str,
        device: str,
        precision: str,
    ) -> None:
        self.settle(size, colour, strength, stroke_size)
        self.style = style if isinstance(style, StyleFile) else load_style(find_style(style))
        self.name = self.style.name
        self.engine: Engine = open_engine(self.style, engine, device, precision)

    @property
    def bytes_per_pixel(self) -> float | None:
        """What stylizing one picture takes of memory, about; None if it cannot be done in tiles.

        Fitted to the peaks of the three presets in PyTorch, which are above those of OpenVINO: the
        largest features about seven times, and nine pictures (benchmarks/large_pictures.py).
        """
        config = self.style.network.config
        features = config["channels"][0] / config["unshuffle"] ** 2
        return 4 * (7 * features + 9 * 3)

    def settle(
        self, size: int | None, colour: str, strength: float, stroke_size: int | None
    ) -> None:
        """Sets what is done with whatever the engine returns; see the class."""
        for name, side in (("size", size), ("stroke_size", stroke_size)):
            if side is not None and (not isinstance(side, int) or side < 1):
                raise FastTransferError(
                    f"{name}={side} must be the longer side in whole pixels, or null for the input's own"
                )
        if colour not in ("style", "content"):
            raise FastTransferError(f"colour={colour} must be style or content")
        if not isinstance(strength, (int, float)) or not 0 <= strength <= 1:
            raise FastTransferError(f"strength={strength} must be a number from 0 to 1")
        self.size = size
        self.colour = colour
        self.strength = float(strength)
        self.stroke_size = stroke_size

    @torch.inference_mode()
    def __call__(self, content: Tensor) -> Tensor:
        """Stylizes (3, H, W) or (B, 3, H, W) in [0, 1]; same kind, device and range out, float32.

        Raises:
            FastTransferError: the picture does not fit into memory.
        """
        if content.ndim == 3:
            return self(content[None])[0]
        with _memory_in_one_sentence(content):
            photo = content.to(self.engine.device, torch.float32)
            if self.size is not None:
                photo = resize(photo, self.size)
            if self.strength == 0:
                return photo.to(content.device)
            return self.mix(self._stroked(photo).clamp(0, 1), photo).to(content.device)

    @torch.inference_mode()
    def network_on(self, photo: Tensor) -> Tensor:
        """The network's own picture of (3, H, W) in [0, 1], clamped, without colour and strength.

        Raises:
            FastTransferError: the picture does not fit into memory.
        """
        with _memory_in_one_sentence(photo):
            return self.engine(photo[None].to(self.engine.device)).clamp(0, 1)[0].to(photo.device)

    @torch.inference_mode()
    def frame(self, frame: np.ndarray) -> np.ndarray:
        """Stylizes a frame of a video: RGB bytes (H, W, 3) to RGB bytes, of the same size unless
        ``size`` is set.

        Raises:
            FastTransferError: the frame does not fit into memory.
        """
        with _memory_in_one_sentence(torch.from_numpy(frame).permute(2, 0, 1)):
            frames = torch.from_numpy(frame[None])
            if self.size is not None and max(frame.shape[:2]) != self.size:
                frames = to_bytes(resize(from_bytes(frames), self.size)).contiguous()
            if self.strength == 0:
                return frames[0].numpy()
            if self.stroke_size is not None:
                photo = from_bytes(frames)
                mixed = self.mix(self._stroked(photo).clamp(0, 1), photo)
                return to_bytes(mixed)[0].contiguous().cpu().numpy()
            stylized = self.engine.frames(frames.numpy())
            if self.strength == 1 and self.colour == "style":
                return stylized[0]
            mixed = self.mix(from_bytes(torch.from_numpy(stylized)), from_bytes(frames))
            return to_bytes(mixed)[0].contiguous().numpy()

    def _stroked(self, photos: Tensor) -> Tensor:
        """(B, 3, H, W) through the network, with strokes as large as is wanted."""
        height, width = photos.shape[-2:]
        if self.stroke_size is None or self.stroke_size == max(height, width):
            return self.engine(photos).to(photos.device)
        other = resize(photos, self.stroke_size)
        stylized = self.engine(other).to(photos.device)
        if self.stroke_size > max(height, width):
            return resize_to(stylized.clamp(0, 1), height, width)
        whole = Region(0, height, 0, width)
        return torch.stack(
            [
                GuidedUpsampler(painted.clamp(0, 1), small, height, width).at(whole, photo)
                for painted, small, photo in zip(stylized, other, photos, strict=True)
            ]
        )

    def mix(self, stylized: Tensor, photo: Tensor) -> Tensor:
        """Colour and strength, of (…, 3, H, W) in [0, 1]."""
        if self.colour == "content":
            stylized = keep_colors(stylized, photo)
        return torch.lerp(photo, stylized, self.strength)


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
