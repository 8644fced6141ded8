"""Which mask a file gets: one for all, one of a folder by its name, or the file's own alpha."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..images.masks import Mask, inverted
from ..images.reading import Picture
from ..large.planes import Plane
from ..stylizing.person import PersonModel
from ..stylizing.settings import ALPHA, PERSON, MaskSettings
from ..video.settings import VideoSettings
from .jobs import Job
from .mask_layers import Layer, Seen, open_layers, seen, seen_on

if TYPE_CHECKING:
    from ..video.clip import Clip
    from .clip_masks import ClipMasks


class Masks:
    """Gives each file its mask.

    Args:
        settings: where masks come from.
        max_pixels: masks with more are refused.

    Raises:
        FastTransferError: there is no such mask, or the one for all cannot be read.
    """

    def __init__(self, settings: MaskSettings, max_pixels: int) -> None:
        self._settings = settings
        self._max_pixels = max_pixels
        sources = (
            (open_layers("mask", settings.path, max_pixels, settings.model), settings.invert),
            (open_layers("strength", settings.strength, max_pixels), False),
        )
        self._sources = [(source, invert) for source, invert in sources if source is not None]

    def of_picture(self, job: Job, picture: Picture) -> tuple[Mask | None, tuple[str, ...]]:
        """A picture's mask, and notes on it; None: everything is stylized.

        Raises:
            FastTransferError: there is none for this file, or it cannot be read.
        """
        return self._of(job, seen(picture))

    def of_large(
        self, job: Job
    ) -> tuple[Callable[[Plane], tuple[Mask | None, tuple[str, ...]]], object]:
        """What makes the mask of a large picture once that is an array, and what distinguishes masks.

        Raises:
            FastTransferError: there is none for this file.
        """
        places = [place for source, _ in self._sources if (place := source.place(job))]
        files = [
            [str(place.absolute()), place.stat().st_size, place.stat().st_mtime_ns]
            for place in places
        ]
        return (lambda plane: self._of(job, seen_on(plane))), [asdict(self._settings), files]

    def _of(self, job: Job, picture: Seen) -> tuple[Mask | None, tuple[str, ...]]:
        if not self._sources:
            return None, ()
        layers = [(source.of_picture(job, picture), invert) for source, invert in self._sources]
        mask = Mask(tuple(inverted(one) if i else one for one, i in layers), self._settings.feather)
        notes = []
        if self._settings.path == ALPHA and picture.is_opaque:
            notes.append("is opaque, so its alpha masks nothing")
        if self._settings.path != PERSON and mask.is_stretched_in(picture.height, picture.width):
            notes.append("has other proportions than its mask, which is stretched")
        return mask, tuple(notes)

    def of_clip(self, job: Job, clip: "Clip", settings: VideoSettings) -> "ClipMasks":
        """The masks of a video's frames, as they are stored.

        Args:
            job: the video.
            clip: what is known of it.
            settings: how clips of masks are decoded.

        Raises:
            FastTransferError: there is none for this file, or it cannot be read.
        """
        from ..video.turning import as_stored
        from .clip_masks import ClipMasks, FoundLayer, MovingLayer

        layers: list[Layer | MovingLayer | FoundLayer] = []
        for source, invert in self._sources:
            found = source.of_file(job)
            if isinstance(found, PersonModel):
                layers.append(FoundLayer(found, invert, clip))
            elif isinstance(found, Path):
                layers.append(MovingLayer(found, settings, self._max_pixels, invert, clip))
            else:
                still = as_stored(found, clip.display_matrix)
                layers.append(inverted(still) if invert else still)
        return ClipMasks(layers, self._settings.feather)
