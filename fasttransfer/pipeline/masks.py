"""Which mask a file gets: one for all, one of a folder by its name, or the file's own alpha."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from PIL import Image

from ..core.errors import FastTransferError
from ..core.files import shown
from ..core.paths import exists, expand_user, is_folder
from ..images.folders import files_below, is_picture
from ..images.masks import Mask, gray_of, inverted, read_gray
from ..images.reading import Picture
from ..stylizing.settings import ALPHA, MaskSettings
from ..video.settings import is_video
from .jobs import Job

Layer = Image.Image  # mode L, white where the style is wanted


class Layers(Protocol):
    """Gives each picture one layer of its mask."""

    def __call__(self, job: Job, picture: Picture) -> Layer:
        """Of any size.

        Raises:
            FastTransferError: there is none for this picture, or it cannot be read.
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
        self._where = _layers("mask", settings.path, max_pixels)
        self._strength = _layers("strength", settings.strength, max_pixels)

    def __call__(self, job: Job, picture: Picture) -> tuple[Mask | None, tuple[str, ...]]:
        """A picture's mask, and notes on it; None: everything is stylized.

        Raises:
            FastTransferError: there is none for this file, or it cannot be read.
        """
        layers: list[Layer] = []
        if self._where is not None:
            layer = self._where(job, picture)
            layers.append(inverted(layer) if self._settings.invert else layer)
        if self._strength is not None:
            layers.append(self._strength(job, picture))
        if not layers:
            return None, ()
        mask = Mask(tuple(layers), self._settings.feather)
        notes = ["is opaque, so its alpha masks nothing"] if self._lacks_alpha(picture) else []
        if mask.is_stretched_in(*picture.rgb.shape[-2:]):
            notes.append("has other proportions than its mask, which is stretched")
        return mask, tuple(notes)

    def _lacks_alpha(self, picture: Picture) -> bool:
        return self._settings.path == ALPHA and picture.alpha is None


def _layers(name: str, path: str | None, max_pixels: int) -> Layers | None:
    """What the setting ``name`` stands for."""
    if path is None:
        return None
    if path == ALPHA and name == "mask":
        return _alpha
    place = expand_user(path)
    if not exists(place):
        masks = "a picture that is white where the style is wanted, a folder of such masks"
        wanted = f"{masks}, or alpha" if name == "mask" else f"a number from 0 to 1, {masks}"
        raise FastTransferError(f"{name}={path} does not exist; write {wanted}")
    if is_folder(place):
        return _OfFolder(name, place, max_pixels)
    if is_video(place):
        raise FastTransferError(f"{name}={path} is a video, and masks of pictures are pictures")
    return _OneForAll(name, place, max_pixels)


def _alpha(job: Job, picture: Picture) -> Layer:
    if picture.alpha is None:
        return Image.new("L", (picture.rgb.shape[-1], picture.rgb.shape[-2]), "white")
    return gray_of(picture.alpha)


class _OneForAll:
    """The same mask for every file, read once."""

    def __init__(self, name: str, path: Path, max_pixels: int) -> None:
        self._layer = _read(name, path, max_pixels)

    def __call__(self, job: Job, picture: Picture) -> Layer:
        return self._layer


class _OfFolder:
    """A mask for each file, by its name; of several folders below, that which agrees best."""

    def __init__(self, name: str, folder: Path, max_pixels: int) -> None:
        self._name = name
        self._folder = folder
        self._max_pixels = max_pixels
        self._places: dict[str, list[Path]] = {}
        for path in files_below(folder, is_picture):
            place = path.relative_to(folder).with_suffix("").as_posix()
            self._places.setdefault(place, []).append(path)
        if not self._places:
            raise FastTransferError(f"{name}={folder} is a folder without pictures")

    def __call__(self, job: Job, picture: Picture) -> Layer:
        return _read(self._name, self._path(job), self._max_pixels)

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


def _read(name: str, path: Path, max_pixels: int) -> Layer:
    try:
        return read_gray(path, max_pixels=max_pixels)
    except FastTransferError as error:
        raise FastTransferError(f"{name}={path} cannot be used as a mask: {error}") from error
