"""One video file while it is written: its encoder, its tags, and what is copied into it."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import av
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

from .clip import Clip
from .color import BT709, FULL, LIMITED, MATRICES, TO_YUV, UNSPECIFIED, Colors
from .encoders import pick_encoder
from .passthrough import StreamCopier
from .settings import VIDEO_WRITERS, VideoSettings, ffmpeg_name

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext


# A recording's timestamps hold 24, 25, 30, 50, 60 and 75 frames/s exactly; the rate is only what
# the encoder expects.
_RECORDING_TIME_BASE, _RECORDING_RATE = Fraction(1, 90_000), Fraction(30)
_RECORDING_COLORS = Colors(BT709, BT709, BT709, LIMITED, "yuv")


@dataclass(frozen=True)
class Target:
    """A file that is written.

    Args:
        unfinished: its name while it is written.
        path: what it will be called; its ending names the container.
        index: options for the index of MP4 and MOV.
    """

    unfinished: Path
    path: Path
    index: Mapping[str, str]

    @property
    def format(self) -> str:
        """The container, by FFmpeg's name."""
        return VIDEO_WRITERS[self.path.suffix.lower()]

    @property
    def options(self) -> dict[str, str]:
        """Options of the container."""
        return dict(self.index) if self.format in ("mp4", "mov") else {}


class Muxer:
    """Encodes frames into a file; to be called by one thread at a time.

    Args:
        target: the file.
        settings: how to encode.
        like: see ``VideoWriter``.
        notes: gets sentences about what could not be done as asked.
    """

    def __init__(
        self, target: Target, settings: VideoSettings, like: Clip | None, notes: list[str]
    ) -> None:
        self._settings = settings
        self._like = like
        self._notes = notes
        self._path = target.path
        self._container = av.open(
            ffmpeg_name(target.unfinished),
            "w",
            format=target.format,
            container_options=target.options,
            metadata_errors="surrogateescape",
        )
        self._stream: av.VideoStream | None = None
        self._copier: StreamCopier | None = None
        self._cleanup = ExitStack()
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
        with self._cleanup:
            try:
                self._container.close()  # a second time, it does nothing
            except (av.FFmpegError, OSError):
                if error is None:
                    raise

    def encode(self, pixels: np.ndarray, seconds: float, duration: float) -> None:
        """Appends a frame; see ``VideoWriter.write``."""
        if self._stream is None:
            self._open(pixels.shape[1], pixels.shape[0])
        assert self._stream is not None
        context = self._stream.codec_context
        height, width, _ = pixels.shape
        plane = self._rgb.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(height, plane.line_size)
        rows[:, : 3 * width] = pixels.reshape(height, 3 * width)
        frame = self._reformatter.reformat(
            self._rgb,
            context.width,
            context.height,
            context.pix_fmt,
            dst_colorspace=self._matrix,
            src_color_range=FULL,
            dst_color_range=self._range,
            interpolation=TO_YUV,
            threads=1,
        )
        frame.colorspace = context.colorspace
        frame.pict_type = PictureType.NONE  # else every frame would be a key frame, as the sample
        # Of two frames at one time, the second is shown one tick later: none is lost.
        frame.pts = self._last = max(round(seconds / context.time_base), self._last + 1)
        frame.time_base = context.time_base
        frame.duration = round(duration / context.time_base)
        if self._copier is not None:
            self._copier.copy_until(seconds)
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """What the encoder still holds, the rest of what is copied, and the end of the file."""
        assert self._stream is not None
        self._container.mux(self._stream.encode(None))
        if self._copier is not None:
            self._copier.copy_until(None)
        self._container.close()

    def _open(self, width: int, height: int) -> None:
        """Adds all streams, once the size of the frames is known."""
        # Where 4:2:0 has its colors between the pixels is known to the clip's frames only, so that
        # a frame made from one of them has to carry the pixels.
        sample = self._like.sample if self._like else av.VideoFrame(width, height, "rgb24")
        self._rgb = VideoReformatter().reformat(sample, width, height, "rgb24")
        self._rgb.make_writable()  # where it is the sample itself, a decoder may still look at it
        if self._like is not None:
            self._copier = self._cleanup.enter_context(
                StreamCopier(self._like, self._container, self._path, self._notes)
            )
            self._copier.add_before_video()
        self._stream = self._add_video(width, height)
        if self._copier is not None:
            self._copier.add_after_video(self._stream)

    def _add_video(self, width: int, height: int) -> av.VideoStream:
        like = self._like
        rate = like.rate if like else _RECORDING_RATE
        base = like.time_base if like else _RECORDING_TIME_BASE
        encoder = pick_encoder(
            self._settings, self._container, self._path, width, height, base, self._notes
        )
        stream = self._container.add_stream(encoder.name, rate, options=dict(encoder.options))
        assert isinstance(stream, av.VideoStream)
        stream.time_base = encoder.time_base
        encoder.prepare(stream.codec_context)
        self._tag(stream.codec_context, width, height)
        if like is not None:
            if like.aspect is not None:
                stream.codec_context.sample_aspect_ratio = like.aspect
            if like.display_matrix is not None:
                stream.set_display_matrix(like.display_matrix)
        return stream

    def _tag(self, context: "VideoCodecContext", width: int, height: int) -> None:
        """The clip's color tags; a matrix or range is named where players could guess another."""
        colors = self._like.colors if self._like else _RECORDING_COLORS
        size = (self._like.width, self._like.height) if self._like else (width, height)
        matrix = colors.taken_matrix(*size)
        self._matrix, self._range = MATRICES[matrix], colors.written_range
        same_guess = colors.matrix == UNSPECIFIED and matrix == colors.taken_matrix(width, height)
        context.colorspace = UNSPECIFIED if same_guess else matrix
        same_guess = colors.range == 0 and self._range == LIMITED
        context.color_range = 0 if same_guess else self._range
        context.color_primaries = colors.primaries
        context.color_trc = colors.transfer
