"""Reading videos: what is known of a clip, and its frames as RGB bytes."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from ..core.errors import FastTransferError
from .clip import describe
from .color import FULL, MATRICES, TO_RGB
from .ending import missing_at_end
from .opening import open_container
from .packets import PacketReader
from .settings import VideoSettings

_AT_A_JOIN = 4  # packets before a new part that a join makes look damaged


class ClipReader:
    """The frames of a video file, to be called by one thread at a time.

    Args:
        path: any file that FFmpeg reads.
        settings: how many threads decode.
        max_pixels: larger frames are refused.

    Attributes:
        clip: what is known of the file.

    Raises:
        FastTransferError: missing, damaged, without video, or too large.
    """

    def __init__(self, path: Path, settings: VideoSettings, max_pixels: int) -> None:
        self._damages: list[int] = []  # numbers of packets that could not be read, or not well
        self._first_damage = 0.0  # seconds
        self._seconds = 0.0  # of the last frame
        self._frames = self._packets_read = 0
        self._path = path
        self._reformatter = VideoReformatter()
        self._container = open_container(path)
        try:
            self._stream = self._video_stream(max_pixels)
            self._stream.codec_context.thread_count = settings.threads
            self._stream.codec_context.thread_type = "AUTO"
            self._packets = PacketReader(self._container, self._stream, self._note_damage)
            self._decoded = self._decode()
            first = next(self._decoded, None)
            if first is None:
                raise FastTransferError(f"{path} is damaged: no frame of it can be read")
            self._first = first
            self.clip = describe(path, self._container, self._stream, first)
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
        matrix = MATRICES[clip.colors.taken_matrix(clip.width, clip.height)]
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
                    src_color_range=clip.colors.read_range,
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

    @property
    def damage(self) -> str | None:
        """What is missing of the frames that have been read to their end, in a few words, or None."""
        found = []
        if self._damages:
            count, first = len(self._damages), self._first_damage
            found.append(f"{count} damaged packets, the first after {first:.1f} s")
        missing = missing_at_end(
            self._container, self.clip, self._packets, self._frames, self._seconds
        )
        if missing is not None:
            found.append(missing)
        return "; ".join(found) or None

    def _decode(self) -> Iterator[av.VideoFrame]:
        parts, packet = self._packets.parts, None
        for packet in chain(self._packets, [None]):  # None asks for what the decoder still holds
            if packet is not None and packet.stream_index != self._stream.index:
                continue
            self._packets_read += 1
            if self._packets.parts > parts:
                parts = self._packets.parts
                self._forgive_join()
            damaged = packet is not None and packet.is_corrupt
            frames: list[av.VideoFrame] = []
            try:
                frames = self._stream.decode(packet)
            except av.FFmpegError:
                damaged = True
            if damaged or any(frame.is_corrupt for frame in frames):
                self._note_damage()
            self._frames += len(frames)
            yield from frames

    def _note_damage(self) -> None:
        if not self._damages:
            self._first_damage = self._seconds
        self._damages.append(self._packets_read)

    def _forgive_join(self) -> None:
        """Forgets the last packets of a part that a new one follows.

        Nothing of them is missing, but FFmpeg finds that the count of the next ones does not go on.
        """
        first = self._packets_read - _AT_A_JOIN
        self._damages = [number for number in self._damages if number < first]
