"""Where the layers of masks come from: a file, a folder by name, or what is stylized itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from ..core.errors import FastTransferError
from ..core.files import shown
from ..core.paths import exists, expand_user, is_folder
from ..images.folders import files_below
from ..images.masks import gray_of, read_gray
from ..images.reading import Picture
from ..images.regions import Region
from ..images.tensors import to_pil
from ..large.plane_stylizer import reduced
from ..large.planes import Plane
from ..stylizing.person import PersonModel, find_person_model
from ..stylizing.settings import ALPHA, PERSON
from ..video.settings import is_video
from .finding import is_media
from .jobs import Job

Layer = Image.Image  # mode L, white where the style is wanted
_SMALL = 1024  # longer side in pixels of what a model sees of a large picture
_STRIP = 256  # rows of a large picture that are read at a time


class Layers(Protocol):
    """Gives each file one layer of its mask, of any size."""

    def of_picture(self, job: Job, picture: "Seen") -> Layer:
        """The layer of a picture.

        Raises:
            FastTransferError: there is none for this picture, or it cannot be read.
        """
        ...

    def of_file(self, job: Job) -> Path | Layer | PersonModel:
        """The layer of a file, whatever is in it.

        Of a video also the clip that has the layers of its frames, or what finds them.

        Raises:
            FastTransferError: there is none for this file, or it cannot be read.
        """
        ...

    def place(self, job: Job) -> Path | None:
        """The file that the layer comes from; None: from what is stylized itself.

        Raises:
            FastTransferError: there is none for this file.
        """
        ...


@dataclass(frozen=True)
class Seen:
    """What is seen of a picture before it is stylized.

    Attributes:
        height, width: in pixels.
        is_opaque: whether it has no alpha.
        alpha: makes its alpha a layer.
        image: makes a picture in mode RGB of it, which may be smaller.
    """

    height: int
    width: int
    is_opaque: bool
    alpha: Callable[[], Layer]
    image: Callable[[], Image.Image]


def open_layers(
    name: str, path: str | None, max_pixels: int, model: str | None = None
) -> Layers | None:
    """What the setting ``name`` stands for; None: there is no such layer.

    Raises:
        FastTransferError: there is no such file, or the one for all cannot be read.
    """
    if path is None:
        return None
    if path == ALPHA and name == "mask":
        return _Alpha()
    if path == PERSON and name == "mask":
        return _Person(find_person_model(model))
    place = expand_user(path)
    if not exists(place):
        masks = (
            "a picture that is white where the style is wanted, a folder or a clip of such masks"
        )
        wanted = (
            f"{masks}, alpha, or person" if name == "mask" else f"a number from 0 to 1, {masks}"
        )
        raise FastTransferError(f"{name}={path} does not exist; write {wanted}")
    if is_folder(place):
        return _OfFolder(name, place, max_pixels)
    return _OneForAll(name, place, max_pixels)


class _Alpha:
    """Each picture's own alpha."""

    def of_picture(self, job: Job, picture: Seen) -> Layer:
        return picture.alpha()

    def place(self, job: Job) -> Path | None:
        return None

    def of_file(self, job: Job) -> Path | Layer:
        raise FastTransferError(
            f"{shown(job.input)} is a video, and mask=alpha is for pictures; give a clip of masks"
        )


class _Person:
    """What a model finds in each picture."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._model = PersonModel(path)

    def of_picture(self, job: Job, picture: Seen) -> Layer:
        return self._model(picture.image())

    def of_file(self, job: Job) -> Path | Layer | PersonModel:
        return self._model

    def place(self, job: Job) -> Path | None:
        return self._path


class _OneForAll:
    """The same mask for every file, read once."""

    def __init__(self, name: str, path: Path, max_pixels: int) -> None:
        self._name = name
        self._path = path
        self._layer = path if is_video(path) else _read(name, path, max_pixels)

    def place(self, job: Job) -> Path | None:
        return self._path

    def of_picture(self, job: Job, picture: Seen) -> Layer:
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

    def of_picture(self, job: Job, picture: Seen) -> Layer:
        return _still(self._name, job, self.of_file(job))

    def of_file(self, job: Job) -> Path | Layer:
        path = self.place(job)
        return path if is_video(path) else _read(self._name, path, self._max_pixels)

    def place(self, job: Job) -> Path:
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


def seen(picture: Picture) -> Seen:
    """A picture in memory."""
    alpha = picture.alpha
    height, width = picture.rgb.shape[-2:]

    def layer() -> Layer:
        return Image.new("L", (width, height), "white") if alpha is None else gray_of(alpha)

    return Seen(height, width, alpha is None, layer, lambda: to_pil(picture.rgb))


def seen_on(plane: Plane) -> Seen:
    """A large picture on disk."""
    height, width, channels = plane.shape

    def alpha() -> Layer:
        layer = Image.new("L", (width, height), "white")
        for top in range(0, height if channels == 4 else 0, _STRIP):
            rows = plane.read(Region(top, min(height, top + _STRIP), 0, width))
            layer.paste(Image.fromarray(np.ascontiguousarray(rows[..., 3])), (0, top))
        return layer

    return Seen(height, width, channels == 3, alpha, lambda: to_pil(reduced(plane, _SMALL)))


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
