"""Which mask a file gets: one for all, one of a folder by its name, or the file's own alpha."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PIL import Image

from ..core.errors import FastTransferError
from ..core.files import shown
from ..core.paths import exists, expand_user, is_folder
from ..images.folders import files_below
from ..images.masks import Mask, gray_of, inverted, read_gray
from ..images.reading import Picture
from ..stylizing.settings import ALPHA, MaskSettings
from ..video.settings import VideoSettings, is_video
from .finding import is_media
from .jobs import Job

if TYPE_CHECKING:
    from ..video.clip import Clip
    from .clip_masks import ClipMasks

Layer = Image.Image  # mode L, white where the style is wanted


class Layers(Protocol):
    """Gives each file one layer of its mask, of any size."""

    def of_picture(self, job: Job, picture: Picture) -> Layer:
        """The layer of a picture.

        Raises:
            FastTransferError: there is none for this picture, or it cannot be read.
        """
        ...

    def of_file(self, job: Job) -> Path | Layer:
        """The layer of a file, whatever is in it; or the clip that has the layers of its frames.

        Raises:
            FastTransferError: there is none for this file, or it cannot be read.
        """
        ...


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
            (_layers("mask", settings.path, max_pixels), settings.invert),
            (_layers("strength", settings.strength, max_pixels), False),
        )
        self._sources = [(source, invert) for source, invert in sources if source is not None]

    def of_picture(self, job: Job, picture: Picture) -> tuple[Mask | None, tuple[str, ...]]:
        """A picture's mask, and notes on it; None: everything is stylized.

        Raises:
            FastTransferError: there is none for this file, or it cannot be read.
        """
        if not self._sources:
            return None, ()
        layers = [(source.of_picture(job, picture), invert) for source, invert in self._sources]
        mask = Mask(tuple(inverted(one) if i else one for one, i in layers), self._settings.feather)
        opaque = self._settings.path == ALPHA and picture.alpha is None
        notes = ["is opaque, so its alpha masks nothing"] if opaque else []
        if mask.is_stretched_in(*picture.rgb.shape[-2:]):
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
        from .clip_masks import ClipMasks, MovingLayer

        layers: list[Layer | MovingLayer] = []
        for source, invert in self._sources:
            found = source.of_file(job)
            if isinstance(found, Path):
                layers.append(MovingLayer(found, settings, self._max_pixels, invert, clip))
            else:
                still = as_stored(found, clip.display_matrix)
                layers.append(inverted(still) if invert else still)
        return ClipMasks(layers, self._settings.feather)


def _layers(name: str, path: str | None, max_pixels: int) -> Layers | None:
    """What the setting ``name`` stands for."""
    if path is None:
        return None
    if path == ALPHA and name == "mask":
        return _Alpha()
    place = expand_user(path)
    if not exists(place):
        masks = (
            "a picture that is white where the style is wanted, a folder or a clip of such masks"
        )
        wanted = f"{masks}, or alpha" if name == "mask" else f"a number from 0 to 1, {masks}"
        raise FastTransferError(f"{name}={path} does not exist; write {wanted}")
    if is_folder(place):
        return _OfFolder(name, place, max_pixels)
    return _OneForAll(name, place, max_pixels)


class _Alpha:
    """Each picture's own alpha."""

    def of_picture(self, job: Job, picture: Picture) -> Layer:
        if picture.alpha is None:
            return Image.new("L", (picture.rgb.shape[-1], picture.rgb.shape[-2]), "white")
        return gray_of(picture.alpha)

    def of_file(self, job: Job) -> Path | Layer:
        raise FastTransferError(
            f"{shown(job.input)} is a video, and mask=alpha is for pictures; give a clip of masks"
        )


class _OneForAll:
    """The same mask for every file, read once."""

    def __init__(self, name: str, path: Path, max_pixels: int) -> None:
        self._name = name
        self._layer = path if is_video(path) else _read(name, path, max_pixels)

    def of_picture(self, job: Job, picture: Picture) -> Layer:
        return _still(self._name, job, self._layer)

    def of_file(self, job: Job) -> Path | Layer:
        return self._layer


class _OfFolder:
    """A mask for each file, by its name; of several folders below, that which agrees best."""

    def __init__(self, name: str, folder: Path, max_pixels: int) -> None:
        self._name = name
        self._folder = folder
        self._max_pixels = max_pixels
        self._places: dict[str, list[Path]] = {}
        for path in files_below(folder, is_media):
            place = path.relative_to(folder).with_suffix("").as_posix()
            self._places.setdefault(place, []).append(path)
        if not self._places:
            raise FastTransferError(f"{name}={folder} is a folder without masks")

    def of_picture(self, job: Job, picture: Picture) -> Layer:
        return _still(self._name, job, self.of_file(job))

    def of_file(self, job: Job) -> Path | Layer:
        path = self._path(job)
        return path if is_video(path) else _read(self._name, path, self._max_pixels)

    def _path(self, job: Job) -> Path:
        found = next(
            (paths for place in _ends(job.input) if (paths := self._places.get(place))), []
        )
        same = [path for path in found if path.name == job.input.name]
        if len(found) > 1 and len(same) != 1:
            names = " and ".join(shown(path) for path in found[:2])
            raise FastTransferError(f"{shown(job.input)} has several masks: {names}; keep one")
        if not found:
            raise FastTransferError(
                f"{shown(job.input)} has no mask in {self._name}={self._folder}; a mask has the name "
                f"of its file, such as {job.input.stem}.png"
            )
        return (same or found)[0]


def _ends(path: Path) -> Iterator[str]:
    """``a/b/c.jpg``: a/b/c, b/c, c."""
    parts = path.with_suffix("").parts
    return ("/".join(parts[start:]) for start in range(len(parts)))


def _still(name: str, job: Job, layer: Path | Layer) -> Layer:
    if isinstance(layer, Path):
        raise FastTransferError(
            f"{shown(job.input)} is a picture, and {name}={layer} is a video; give a still mask"
        )
    return layer


def _read(name: str, path: Path, max_pixels: int) -> Layer:
    try:
        return read_gray(path, max_pixels=max_pixels)
    except FastTransferError as error:
        raise FastTransferError(f"{name}={path} cannot be used as a mask: {error}") from error
