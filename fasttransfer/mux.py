"""One video file while it is written: the encoder, and what is copied beside its frames."""

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import av
import numpy as np
from av.codec.context import Flags
from av.video.reformatter import VideoReformatter

from .video import VIDEO_WRITERS, VideoSettings

if TYPE_CHECKING:
    from .demux import Clip

RECORDING_TIME_BASE = Fraction(1, 90_000)  # holds 24, 25, 30, 50, 60 and 75 frames/s exactly
RECORDING_RATE = Fraction(30)  # what the encoder takes for granted; the timestamps decide

# The encoders that are tried, by container; mpeg4 is in every build of FFmpeg.
_ENCODERS = {"webm": ("libvpx-vp9", "libvpx", "libsvtav1")}
_OTHER_ENCODERS = ("libx264", "libopenh264", "mpeg4")

# What makes an encoder fast.
_FAST = {
    "libx264": {"preset": "veryfast"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=error"},
    "libsvtav1": {"preset": "10"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "row-mt": "1"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
}


class Muxer:
    """Encodes frames into a file; to be called by one thread at a time.

    Args:
        unfinished: where the file is written.
        path: what it will be called; its ending names the container.
        settings: how to encode.
        like: see ``VideoWriter``.
        notes: gets sentences about what could not be done as asked.
    """

    def __init__(
        self,
        unfinished: Path,
        path: Path,
        settings: VideoSettings,
        like: "Clip | None",
        notes: list[str],
    ) -> None:
        self._path = path
        self._settings = settings
        self._like = like
        self._notes = notes
        self._container = av.open(str(unfinished), "w", format=VIDEO_WRITERS[path.suffix.lower()])
        self._stream: av.VideoStream | None = None
        self._reformatter = VideoReformatter()
        self._last = -(2**62)

    def __enter__(self) -> "Muxer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            with suppress(av.FFmpegError):  # the file is dropped anyway
                self._container.close()

    def encode(self, pixels: np.ndarray, seconds: float, duration: float) -> None:
        """Appends a frame; see ``VideoWriter.write``."""
        if self._stream is None:
            self._stream = self._open(pixels.shape[1], pixels.shape[0])
        stream = self._stream
        base = stream.codec_context.time_base
        rgb = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(pixels), "rgb24")
        frame = self._reformatter.reformat(
            rgb, stream.width, stream.height, stream.format.name, threads=1
        )
        # Of two frames at one time, the second is shown one tick later: none is lost.
        frame.pts = self._last = max(round(seconds / base), self._last + 1)
        frame.time_base = base
        frame.duration = round(duration / base)
        self._container.mux(stream.encode(frame))

    def finish(self) -> None:
        """What the encoder still holds, and the end of the file."""
        assert self._stream is not None
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def _open(self, width: int, height: int) -> av.VideoStream:
        rate = self._like.rate if self._like else RECORDING_RATE
        base = self._like.time_base if self._like else RECORDING_TIME_BASE
        name, pix_fmt = "libx264", "yuv420p"
        stream = self._container.add_stream(name, rate, options=_FAST[name])
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.codec_context.time_base = stream.time_base = base
        stream.codec_context.flags |= Flags.frame_duration
        # Frames in the order they are shown: with B-frames a variable rate shortens MP4 tracks.
        stream.codec_context.max_b_frames = 0
        return stream
