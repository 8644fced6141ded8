"""Photos and clips on which styles are compared."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import torch
from rich.console import Console
from torch import Tensor

from ..core.errors import FastTransferError, shown_name
from ..core.libraries import require
from ..images.reading import open_rgb
from ..images.sizes import fitted
from ..images.tensors import from_bytes, resize, to_bytes, to_tensor
from ..models.vgg import LEAST_SIDE
from ..video.settings import VideoSettings
from .comparison_settings import ComparisonSettings
from .flicker import Frame

Player = Callable[[], Iterator[Frame]]


@dataclass(frozen=True)
class Subjects:
    """What is stylized at one size.

    Attributes:
        size: longer side in pixels.
        photos: (3, H, W) in [0, 1] by name, with the first frames of the clips.
        clips: what plays each of them, by name.
    """

    size: int
    photos: dict[str, Tensor]
    clips: dict[str, Player]


def read_subjects(
    photos: Sequence[Path],
    clips: Sequence[Path],
    size: int,
    settings: ComparisonSettings,
    console: Console,
) -> Subjects:
    """Photos and clips with a longer side of at most ``size``.

    Those that cannot be read are reported and left out.
    """
    contents = read_photos(photos, size, settings.max_pixels, console)
    frames, most = settings.clip_frames, settings.max_pixels
    players = read_clips(clips, size, frames, most, settings.video, console)
    return Subjects(
        size, contents | {name: to_photo(next(play())) for name, play in players.items()}, players
    )


def read_photos(
    photos: Sequence[Path], size: int, max_pixels: int, console: Console
) -> dict[str, Tensor]:
    """Photos (3, H, W) with a longer side of at most ``size``, by names that differ.

    Transparent parts become white. A file that cannot be read or scored is reported and left out.
    """
    contents: dict[str, Tensor] = {}
    for photo in photos:
        try:
            picture = open_rgb(photo, max_pixels=max_pixels)
            _check_sides(photo, picture.height, picture.width, size, console)
        except FastTransferError as error:
            console.print(f"left out: {error}", markup=False)
            continue
        contents[different(photo.stem, contents)] = shrunk(to_tensor(picture), size)
    return contents


def read_clips(
    clips: Sequence[Path],
    size: int,
    frames: int | None,
    max_pixels: int,
    video: VideoSettings,
    console: Console,
) -> dict[str, Player]:
    """What plays the first ``frames`` frames of each clip, by names that differ.

    Frames have a longer side of at most ``size``. A file that cannot be read or scored is reported
    and left out.
    """
    players: dict[str, Player] = {}
    if not clips:
        return players
    require("av", "video", "comparing styles over clips")
    from ..video.reader import ClipReader

    def play(clip: Path) -> Iterator[Frame]:
        with ClipReader(clip, video, max_pixels) as reader:
            for frame, _, _ in islice(reader, frames):
                yield to_frame(shrunk(to_photo(frame), size))

    for clip in clips:
        try:
            with ClipReader(clip, video, max_pixels) as reader:
                _check_sides(clip, reader.clip.height, reader.clip.width, size, console)
                players[different(f"{clip.stem} (video)", players)] = partial(play, clip)
        except FastTransferError as error:
            console.print(f"left out: {error}", markup=False)
    return players


def _check_sides(path: Path, height: int, width: int, size: int, console: Console) -> None:
    """Reports what is smaller than ``size``; raises FastTransferError for what cannot be scored."""
    longer = max(height, width)
    if min(fitted((height, width), min(size, longer))) < LEAST_SIDE:
        raise FastTransferError(
            f"{path} has {width}×{height} pixels; at a longer side of {min(size, longer)}, scores "
            f"require a shorter one of {LEAST_SIDE}"
        )
    if longer < size:
        text = f"{path} is not enlarged: its longer side is {longer}, not {size}"
        console.print(shown_name(text), markup=False)


def to_photo(frame: Frame) -> Tensor:
    """RGB bytes (H, W, 3) as a photo (3, H, W) in [0, 1]."""
    return from_bytes(torch.from_numpy(frame[None]))[0]


def to_frame(photo: Tensor) -> Frame:
    """A photo (3, H, W) in [0, 1] as RGB bytes (H, W, 3)."""
    return to_bytes(photo[None])[0].contiguous().numpy()


def shrunk(photo: Tensor, size: int) -> Tensor:
    """(3, H, W) with a longer side of at most ``size``."""
    return resize(photo, size) if max(photo.shape) > size else photo


def different(name: str, taken: Collection[str]) -> str:
    """``name``, or with a number behind it if it is taken."""
    numbered = (f"{name}-{n}" for n in range(2, len(taken) + 2))
    return name if name not in taken else next(c for c in numbered if c not in taken)
