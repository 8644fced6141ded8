"""Reading videos: what is known of a clip, and its frames as RGB bytes."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from ..core.errors import FastTransferError, brief
from .color import FULL, MATRICES, TO_RGB, Colors, colors_of
from .settings import VideoSettings

FALLBACK_RATE = Fraction(30)  # frames a second where a file states no rate at all
_BAD_READS = 100  # so many in a row that the rest of the file is given up


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
        colours: see ``Colors``.
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
    colours: Colors
    display_matrix: tuple[int, ...] | None
    total: int | None
    transparent: bool
    sample: av.VideoFrame


class ClipReader:
    """The frames of a video file, to be called by one thread at a time.

    Args:
        path: any file that FFmpeg reads.
        settings: how many threads decode.
        max_pixels: larger frames are refused.

    Attributes:
        clip: what is known of the file.
        damaged: how many packets could not be read, or not well.
        first_damage: at about how many seconds.

    Raises:
        FastTransferError: missing, damaged, without video, or too large.
    """

    def __init__(self, path: Path, settings: VideoSettings, max_pixels: int) -> None:
        self.damaged = 0
        self.first_damage = 0.0
        self._seconds = 0.0  # of the last frame
        self._path = path
        self._reformatter = VideoReformatter()
        self._container = open_container(path)
        try:
            self._stream = self._video_stream(max_pixels)
            self._stream.codec_context.thread_count = settings.threads
            self._stream.codec_context.thread_type = "AUTO"
            self._decoded = self._decode()
            first = next(self._decoded, None)
            if first is None:
                raise FastTransferError(f"{path} is damaged: no frame of it can be read")
            self._first = first
            self.clip = self._describe(first)
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> "ClipReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[tuple[np.ndarray, float, float]]:
        """RGB bytes (H, W, 3), the second at which they are shown, and for how many."""
        clip = self.clip
        matrix = MATRICES[clip.colours.taken_matrix(clip.width, clip.height)]
        following = clip.time_base * 0
        for frame in chain([self._first], self._decoded):
            time = following if frame.pts is None else frame.pts * clip.time_base
            duration = (frame.duration or 0) * clip.time_base
            following = time + (duration or 1 / clip.rate)
            self._seconds = float(time)
            try:
                rgb = self._reformatter.reformat(
                    frame,
                    clip.width,  # also of a stream that changes its size on the way
                    clip.height,
                    "rgb24",
                    src_colorspace=matrix,
                    src_color_range=clip.colours.read_range,
                    dst_color_range=FULL,
                    interpolation=TO_RGB,
                    threads=1,
                )
            except av.FFmpegError:
                self._note_damage()
                continue
            yield rgb.to_ndarray(), float(time), float(duration)

    def _video_stream(self, max_pixels: int) -> av.VideoStream:
        cover = av.stream.Disposition.attached_pic
        streams = [s for s in self._container.streams.video if not s.disposition & cover]
        if not streams:
            raise FastTransferError(f"{self._path} has no video in it, or is cut short")
        best = self._container.streams.best("video")
        stream = best if best in streams else streams[0]
        assert isinstance(stream, av.VideoStream)
        if stream.codec_context is None:
            raise FastTransferError(f"{self._path} is in a format that this PyAV cannot decode")
        width, height = stream.codec_context.width, stream.codec_context.height
        if width * height > max_pixels:
            raise FastTransferError(
                f"{self._path} has frames of {width}×{height} pixels, more than "
                f"max_pixels={max_pixels}; set a larger max_pixels if the file is trustworthy"
            )
        return stream

    def _describe(self, frame: av.VideoFrame) -> Clip:
        stream = self._stream
        rate = stream.average_rate or stream.guessed_rate or FALLBACK_RATE
        total = stream.frames
        if not total and self._container.duration is not None:
            total = round(self._container.duration / av.time_base * rate)
        return Clip(
            path=self._path,
            index=stream.index,
            width=frame.width,
            height=frame.height,
            rate=rate,
            time_base=stream.time_base or 1 / rate,
            aspect=stream.sample_aspect_ratio,
            colours=colors_of(frame),
            display_matrix=_display_matrix(frame),
            total=total or None,
            transparent=any(part.is_alpha for part in frame.format.components),
            sample=frame,
        )

    def _decode(self) -> Iterator[av.VideoFrame]:
        for packet in self._packets():
            damaged = packet is not None and packet.is_corrupt
            frames: list[av.VideoFrame] = []
            try:
                frames = self._stream.decode(packet)
            except av.FFmpegError:
                damaged = True
            if damaged or any(frame.is_corrupt for frame in frames):
                self._note_damage()
            yield from frames

    def _packets(self) -> Iterator["av.Packet[av.VideoStream] | None"]:
        """All packets and, at the end, one that asks the decoder for what it still holds."""
        bad_reads = 0
        while bad_reads < _BAD_READS:
            try:
                for packet in self._container.demux(self._stream):
                    bad_reads = 0
                    yield packet
            except av.FFmpegError:
                bad_reads += 1
                self._note_damage()
            else:
                return
        yield None

    def _note_damage(self) -> None:
        if not self.damaged:
            self.first_damage = self._seconds
        self.damaged += 1


def open_container(path: Path) -> "av.container.InputContainer":
    """Opens a video file.

    Raises:
        FastTransferError: missing, or nothing that FFmpeg reads.
    """
    try:
        # Names and titles may be in any encoding; they are copied as the bytes they are.
        return av.open(str(path), metadata_errors="surrogateescape")
    except FileNotFoundError as error:
        raise FastTransferError(f"{path} does not exist; check the spelling") from error
    except (PermissionError, IsADirectoryError) as error:
        raise FastTransferError(f"{path} cannot be opened ({error.strerror})") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or brief(error)
        raise FastTransferError(f"{path} is no video, damaged or cut short ({reason})") from error


def _display_matrix(frame: av.VideoFrame) -> tuple[int, ...] | None:
    if "DISPLAYMATRIX" not in frame.side_data:
        return None
    matrix: Any = frame.side_data["DISPLAYMATRIX"]  # type: ignore[typeddict-item]
    return tuple(np.frombuffer(bytes(matrix), np.int32).tolist())
