"""Masks of videos: a still for all frames, or a clip with a mask for each."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ..core.errors import FastTransferError
from ..images.masks import Mask, inverted
from ..stylizing.person import PersonModel
from ..video.clip import Clip
from ..video.reader import ClipReader
from ..video.settings import VideoSettings
from ..video.turning import as_shown, as_stored

Layer = Image.Image
_INACCURACY = 0.25  # of times, in frames of the clip of masks; files round them


class MovingLayer:
    """The frames of a clip of masks, one after the other, each for its frames of a video.

    If both clips announce as many frames, they belong together one by one; otherwise by time, from
    the start of each. After its end the last mask stays.

    Args:
        path: the clip of masks.
        settings: how many threads decode.
        max_pixels: larger frames are refused.
        invert: whether white and black are exchanged.
        like: the video; masks come as its frames are stored.

    Raises:
        FastTransferError: see ``ClipReader``.
    """

    def __init__(
        self, path: Path, settings: VideoSettings, max_pixels: int, invert: bool, like: Clip
    ) -> None:
        try:
            self._reader = ClipReader(path, settings, max_pixels)
        except FastTransferError as error:
            raise FastTransferError(f"{path} cannot be used as masks: {error}") from error
        self._path = path
        self._invert = invert
        self._like = like
        clip = self._reader.clip
        self._by_number = clip.total is not None and clip.total == like.total
        self._nearly = 0.0 if self._by_number else _INACCURACY / float(clip.rate)
        self._frames = iter(self._reader)
        self._read = 0
        self._start = 0.0  # seconds, of the first one
        self._layer: Layer | None = None
        self._next = self._following()
        self.missing = 0  # frames of the video after the end

    def at(self, number: int, seconds: float) -> Layer:
        """For a frame of the video, by its number and its seconds from the first one on."""
        position = float(number) if self._by_number else seconds
        while self._next is not None and (
            self._layer is None or self._next[0] <= position + self._nearly
        ):
            self._layer = self._next[1]
            self._next = self._following()
        assert self._layer is not None  # a reader has at least one frame
        self.missing += self._next is None and position > self._end
        return self._layer

    @property
    def note(self) -> str | None:
        """What is to be said of it at the end of the video."""
        if not self.missing:
            return None
        return f"is {self.missing} frames longer than its masks in {self._path}; the last one stays"

    def close(self) -> None:
        """Lets go of the file."""
        self._reader.__exit__(None, None, None)

    def _following(self) -> tuple[float, Layer] | None:
        """The position of the next mask and itself; None at the end."""
        found = next(self._frames, None)
        if found is None:
            return None
        pixels, seconds, duration = found
        clip = self._reader.clip
        if self._read == 0:
            self._start = seconds
        position = float(self._read) if self._by_number else seconds - self._start
        self._read += 1
        length = duration or float(1 / clip.rate)
        self._end = position + (0.5 if self._by_number else length - self._nearly)
        layer = as_shown(Image.fromarray(pixels).convert("L"), clip.display_matrix)
        layer = as_stored(layer, self._like.display_matrix)
        return position, inverted(layer) if self._invert else layer


class FoundLayer:
    """What a model finds in each frame.

    Args:
        model: finds it, in a picture as it is shown.
        invert: whether white and black are exchanged.
        like: the video.
    """

    def __init__(self, model: PersonModel, invert: bool, like: Clip) -> None:
        self._model = model
        self._invert = invert
        self._matrix = like.display_matrix

    def of(self, pixels: np.ndarray) -> Layer:
        """Of RGB bytes (H, W, 3), as they are stored."""
        found = self._model(as_shown(Image.fromarray(pixels), self._matrix))
        layer = as_stored(found, self._matrix)
        return inverted(layer) if self._invert else layer


class ClipMasks:
    """The mask of each frame of a video.

    Args:
        layers: stills, as the frames are stored, clips, and what a model finds.
        feather: see ``Mask``.
    """

    def __init__(self, layers: Sequence[Layer | MovingLayer | FoundLayer], feather: int) -> None:
        self._layers = layers
        self._feather = feather
        self._last: Mask | None = None
        self._frames = 0
        self._start = 0.0

    def following(self, seconds: float, pixels: np.ndarray) -> Mask | None:
        """Of the next frame, shown at ``seconds``; the same object while the mask stays the same."""
        if not self._layers:
            return None
        if self._frames == 0:
            self._start = seconds
        number, since = self._frames, seconds - self._start
        self._frames += 1
        layers = []
        for layer in self._layers:
            if isinstance(layer, MovingLayer):
                layers.append(layer.at(number, since))
            else:
                layers.append(layer.of(pixels) if isinstance(layer, FoundLayer) else layer)
        last = () if self._last is None else self._last.layers
        if len(last) != len(layers) or any(a is not b for a, b in zip(last, layers, strict=True)):
            self._last = Mask(tuple(layers), self._feather)
        return self._last

    @property
    def notes(self) -> list[str]:
        """What is to be said of the masks at the end of the video."""
        moving = [layer for layer in self._layers if isinstance(layer, MovingLayer)]
        return [note for layer in moving if (note := layer.note) is not None]

    def close(self) -> None:
        """Lets go of the files."""
        for layer in self._layers:
            if isinstance(layer, MovingLayer):
                layer.close()
