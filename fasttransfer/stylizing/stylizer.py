"""One picture or batch in memory through one style: size, color, strength, and size of strokes."""

import copy
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.errors import FastTransferError
from ..images.masks import Mask, lasting_weights
from ..images.regions import Region
from ..images.tensors import from_bytes, keep_colors, resize, resize_to, to_bytes
from ..models.blending import StyleMixture, load_style_or_blend
from ..models.style_file import StyleFile
from ..models.transformer_net import TransformerNet
from .engine import Engine
from .engines import open_engine
from .mixture_engine import MixtureEngine
from .settings import EngineSettings, StylizerSettings
from .strokes import GuidedUpsampler

# What PyTorch says when memory runs out; only CUDA has an exception of its own.
_OUT_OF_MEMORY = ("out of memory", "allocate memory", "not enough memory")


class Stylizer:
    """Content image in, stylized image out, both float RGB in [0, 1].

    Safe to call from any number of threads: nothing in it changes after it is made. Where there is an
    ``other`` stylizer, see ``beside``.

    Args:
        style: name of a bundled style, style file, run folder, a blend such as
            ``mosaic:0.6,udnie:0.4``, or a style that is loaded.
        settings: what is done around the network.
        engine: what runs the network.

    Raises:
        FastTransferError: a setting that cannot be used here, or a style that cannot be read.
    """

    other: "Stylizer | None" = None

    def __init__(
        self,
        style: str | Path | StyleFile | StyleMixture,
        settings: StylizerSettings = StylizerSettings(),
        engine: EngineSettings = EngineSettings(),
    ) -> None:
        self.style = load_style_or_blend(style) if isinstance(style, str | Path) else style
        self.name = self.style.name
        self.settings = settings
        self.engine: Engine
        if isinstance(self.style, StyleMixture):
            print(f"{self.style.reason} Their pictures are mixed instead.", file=sys.stderr)
            engines = [open_engine(part.network, engine) for part, _ in self.style.parts]
            self.engine = MixtureEngine(engines, [weight for _, weight in self.style.parts])
        else:
            self.engine = open_engine(self.style.network, engine)

    @property
    def network(self) -> TransformerNet:
        """The one network, where ``bytes_per_pixel`` is a number."""
        assert isinstance(self.style, StyleFile)
        return self.style.network

    @property
    def bytes_per_pixel(self) -> float | None:
        """Memory for one picture, about; None if the picture cannot be stylized in tiles.

        Fitted to the peaks of the three presets in PyTorch, which are above those of OpenVINO: the
        largest features about seven times, and nine pictures (benchmarks/large_pictures.py).
        """
        if isinstance(self.style, StyleMixture):
            return None
        others = 0.0 if self.other is None else self.other.bytes_per_pixel
        if others is None:
            return None
        config = self.network.config
        features = config["channels"][0] / config["unshuffle"] ** 2
        return max(4 * (7 * features + 9 * 3), others)

    def with_settings(self, **changes: Any) -> "Stylizer":
        """Another stylizer with the same engine, and these ``StylizerSettings`` changed.

        Raises:
            FastTransferError: a value out of range.
        """
        changed = copy.copy(self)
        changed.settings = replace(self.settings, **changes)
        if self.other is not None:
            changed.other = self.other.with_settings(**changes)
        return changed

    def beside(self, other: "Stylizer") -> "Stylizer":
        """Both styles as one: this one where a mask is white, ``other`` where it is black.

        Strength is that of this one; color and the size of strokes are each one's own.
        """
        both = copy.copy(self)
        both.other = other
        both.name = f"{self.name}+{other.name}"
        return both

    def with_engine(self, style: StyleFile | StyleMixture, engine: Engine) -> "Stylizer":
        """Another stylizer with the same settings, for a style that ``engine`` runs."""
        other = copy.copy(self)
        other.style, other.name, other.engine = style, style.name, engine
        return other

    @torch.inference_mode()
    def __call__(self, content: Tensor, mask: Mask | Sequence[Mask | None] | None = None) -> Tensor:
        """Stylizes (3, H, W) or (B, 3, H, W) in [0, 1]; same kind, device and range out, float32.

        Args:
            content: a picture or a batch of them.
            mask: where it is stylized, or such masks for the pictures of a batch; None: everywhere.
                The network sees the whole picture in any case.

        Raises:
            FastTransferError: the picture does not fit into memory.
        """
        if content.ndim == 3:
            return self(content[None], mask)[0]
        with _memory_in_one_sentence(content):
            photo = content.to(self.engine.device, torch.float32)
            if self.settings.size is not None:
                photo = resize(photo, self.settings.size)
            where = _weights(mask, photo)
            if self._shows_only_photo(where):
                return photo.to(content.device)
            under = None if self.other is None else self.other.painted(photo)
            mixed = self.mix(self._stroked(photo).clamp(0, 1), photo, where, under)
            return mixed.to(content.device)

    @torch.inference_mode()
    def network_on(self, photo: Tensor) -> Tensor:
        """The network's own picture of (3, H, W) in [0, 1], clamped, without color and strength.

        Raises:
            FastTransferError: the picture does not fit into memory.
        """
        with _memory_in_one_sentence(photo):
            return self.engine(photo[None].to(self.engine.device)).clamp(0, 1)[0].to(photo.device)

    @torch.inference_mode()
    def frame(self, frame: np.ndarray, mask: Mask | None = None) -> np.ndarray:
        """Stylizes a frame of a video.

        RGB bytes (H, W, 3) to RGB bytes, of the same size unless ``size`` is set; ``mask`` as above.

        Raises:
            FastTransferError: the frame does not fit into memory.
        """
        with _memory_in_one_sentence(torch.from_numpy(frame).permute(2, 0, 1)):
            frames = self._sized(frame)
            where = None if mask is None else lasting_weights(mask, *frames.shape[1:3])
            if self._shows_only_photo(where):
                return frames[0].numpy()
            if self.settings.stroke_size is not None:
                photo = from_bytes(frames)
                under = None if self.other is None else self.other.painted(photo)
                mixed = self.mix(self._stroked(photo).clamp(0, 1), photo, where, under)
                return to_bytes(mixed)[0].contiguous().cpu().numpy()
            stylized = self.engine.frames(frames.numpy())
            if where is None and self.settings.strength == 1 and self.settings.color == "style":
                return stylized[0]
            photo, full = from_bytes(frames), from_bytes(torch.from_numpy(stylized))
            under = None
            if self.other is not None:
                others = self.other.engine.frames(frames.numpy())
                under = self.other.colored(from_bytes(torch.from_numpy(others)), photo)
            mixed = self.mix(full, photo, where, under)
            return to_bytes(mixed)[0].contiguous().numpy()

    @property
    def at_full_strength(self) -> "Stylizer":
        """The same without strength and color, which ``finish`` adds; of two styles without strength."""
        changes = {"strength": 1.0} | ({"color": "style"} if self.other is None else {})
        return self.with_settings(**changes)

    @torch.inference_mode()
    def finish(
        self, stylized: np.ndarray, frame: np.ndarray, mask: Mask | None = None
    ) -> np.ndarray:
        """Color, mask and strength of a frame of a video, from its frame ``at_full_strength``.

        All are RGB bytes. Of two styles, the mask was used when it was stylized.
        """
        plain = self.other is not None or (mask is None and self.settings.color == "style")
        if plain and self.settings.strength == 1:
            return stylized
        photo, full = from_bytes(self._sized(frame)), from_bytes(torch.from_numpy(stylized[None]))
        if plain:
            mixed = torch.lerp(photo, full, self.settings.strength)
        else:
            where = None if mask is None else lasting_weights(mask, *photo.shape[-2:])
            mixed = self.mix(full, photo, where)
        return to_bytes(mixed)[0].contiguous().numpy()

    def _sized(self, frame: np.ndarray) -> Tensor:
        """A frame (H, W, 3) at the size of the result, bytes (1, H, W, 3)."""
        frames = torch.from_numpy(frame[None])
        if self.settings.size is None or max(frame.shape[:2]) == self.settings.size:
            return frames
        return to_bytes(resize(from_bytes(frames), self.settings.size)).contiguous()

    def _stroked(self, photos: Tensor) -> Tensor:
        """(B, 3, H, W) through the network, with strokes as large as is wanted."""
        height, width = photos.shape[-2:]
        if self.settings.stroke_size is None or self.settings.stroke_size == max(height, width):
            return self.engine(photos).to(photos.device)
        other = resize(photos, self.settings.stroke_size)
        stylized = self.engine(other).to(photos.device)
        if self.settings.stroke_size > max(height, width):
            return resize_to(stylized.clamp(0, 1), height, width)
        whole = Region(0, height, 0, width)
        return torch.stack(
            [
                GuidedUpsampler(painted.clamp(0, 1), small, height, width).at(whole, photo)
                for painted, small, photo in zip(stylized, other, photos, strict=True)
            ]
        )

    def painted(self, photos: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] in the style and its color, at full strength."""
        return self.colored(self._stroked(photos).clamp(0, 1), photos)

    def colored(self, stylized: Tensor, photo: Tensor) -> Tensor:
        """The network's picture of ``photo`` in the color that is set, (…, 3, H, W) in [0, 1]."""
        return keep_colors(stylized, photo) if self.settings.color == "content" else stylized

    def mix(
        self,
        stylized: Tensor,
        photo: Tensor,
        where: Tensor | None = None,
        under: Tensor | None = None,
    ) -> Tensor:
        """Color, mask and strength, of (…, 3, H, W) in [0, 1].

        Args:
            stylized: the network's picture.
            photo: what it was made of; the result is exactly this where a mask is 0.
            where: weights of a mask, (…, 1, H, W) in [0, 1]; None: 1 everywhere.
            under: what ``other`` painted, which is seen where the mask is 0 instead of the photo.
        """
        stylized = self.colored(stylized, photo)
        if under is not None and where is not None:
            stylized, where = torch.lerp(under, stylized, where), None
        if where is None:
            return torch.lerp(photo, stylized, self.settings.strength)
        return torch.lerp(photo, stylized, self.settings.strength * where)

    def _shows_only_photo(self, where: Tensor | None) -> bool:
        is_black = where is not None and not where.any()
        return self.settings.strength == 0 or (is_black and self.other is None)


def _weights(mask: Mask | Sequence[Mask | None] | None, photos: Tensor) -> Tensor | None:
    """Of (B, 3, H, W): (B or 1, 1, H, W) on the same device; None where there is no mask."""
    height, width = photos.shape[-2:]
    if mask is None:
        return None
    if isinstance(mask, Mask):
        return mask.at(height, width)[None].to(photos.device)
    if not any(mask):
        return None
    full = torch.ones(1, height, width)
    each = [full if one is None else one.at(height, width) for one in mask]
    return torch.stack(each).to(photos.device)


@contextmanager
def _memory_in_one_sentence(content: Tensor) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, MemoryError) as error:  # torch.OutOfMemoryError is a RuntimeError
        text = str(error).lower()
        if not isinstance(error, MemoryError) and not any(w in text for w in _OUT_OF_MEMORY):
            raise
        height, width = content.shape[-2:]
        raise FastTransferError(
            f"a picture of {width}×{height} pixels does not fit into memory; set size= to a "
            "smaller longer side, for instance size=2048"
        ) from error
