"""What is known of a video file before its frames come."""

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from .color import Colors, colors_of

if TYPE_CHECKING:
    from av.stream import Stream

FALLBACK_RATE = Fraction(30)  # frames a second where a file states no rate at all

_ONE, _UNIT = 1 << 16, 1 << 30  # numbers of a display matrix
_TURNS = {
    1: (0, -_ONE, 0, _ONE, 0, 0, 0, 0, _UNIT),
    2: (-_ONE, 0, 0, 0, -_ONE, 0, 0, 0, _UNIT),
    3: (0, _ONE, 0, -_ONE, 0, 0, 0, 0, _UNIT),
}


@dataclass(frozen=True)
class Clip:
    """What is known of a video file before its frames come.

    Attributes:
        path: the file.
        index: number of the video stream in it.
        width: in pixels, as stored: before the rotation.
        height: likewise.
        rate: frames a second, on average.
        time_base: seconds in which timestamps count.
        aspect: width of a pixel divided by its height, or None.
        colors: see ``Colors``.
        display_matrix: rotation and mirroring that a player applies, nine numbers, or None.
        total: how many frames are announced, or None.
        transparent: whether the frames have an alpha channel, which is left out.
        sample: the first frame, for properties that no other attribute can carry.
    """

    path: Path
    index: int
    width: int
    height: int
    rate: Fraction
    time_base: Fraction
    aspect: Fraction | None
    colors: Colors
    display_matrix: tuple[int, ...] | None
    total: int | None
    transparent: bool
    sample: av.VideoFrame


def describe(
    path: Path,
    container: "av.container.InputContainer",
    stream: av.VideoStream,
    frame: av.VideoFrame,
) -> Clip:
    """What is known of a file, once the first frame of its video is read."""
    rate = stream.average_rate or stream.guessed_rate or FALLBACK_RATE
    total = stream.frames
    length = _length(container, stream)
    if not total and length is not None:
        total = round(length * rate)
    return Clip(
        path=path,
        index=stream.index,
        width=frame.width,
        height=frame.height,
        rate=rate,
        time_base=stream.time_base or 1 / rate,
        aspect=stream.sample_aspect_ratio,
        colors=colors_of(frame),
        display_matrix=_display_matrix(frame),
        total=total or None,
        transparent=any(part.is_alpha for part in frame.format.components),
        sample=frame,
    )


def _length(container: "av.container.InputContainer", stream: av.VideoStream) -> Fraction | None:
    """Seconds of a video as far as the file knows them; its sound may be longer."""
    tagged = tagged_length(stream)
    if tagged is not None:
        return tagged
    return None if container.duration is None else Fraction(container.duration, av.time_base)


def tagged_length(stream: "Stream") -> Fraction | None:
    """Seconds that Matroska notes of a stream."""
    tagged = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    if tagged is None:
        return None
    hours, minutes, seconds = (Fraction(part) for part in tagged.groups())
    return 3600 * hours + 60 * minutes + seconds


def _display_matrix(frame: av.VideoFrame) -> tuple[int, ...] | None:
    try:
        matrix: Any = frame.side_data["DISPLAYMATRIX"]  # type: ignore[typeddict-item]
    except KeyError:
        return None
    except (
        ValueError
    ):  # a kind of side data that PyAV does not know, such as EXIF, hides all others
        turns = frame.rotation // 90 % 4
        return _TURNS[turns] if turns else None
    return tuple(np.frombuffer(bytes(matrix), np.int32).tolist())
