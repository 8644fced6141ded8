"""Which encoder of FFmpeg writes a video, and with which of its options."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.codec.codec import UnknownCodecError
from av.codec.context import Flags

from ..core.errors import FastTransferError
from .settings import VideoSettings

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.codeccontext import VideoCodecContext


# What ``auto`` means and what replaces a missing encoder; mpeg4 is in every build of FFmpeg.
_IN_WEBM = ("libvpx-vp9", "libsvtav1", "libvpx")
_ELSEWHERE = ("libx264", "libopenh264", "mpeg4")

# What makes an encoder fast, and quiet; ``preset`` in the settings replaces the one here. Of stylized
# frames of 640×360 at one crf, superfast takes a millisecond more than ultrafast, of some forty that
# the fastest network takes, and makes files a third to a half smaller. Slower presets gain no more.
_FAST: Mapping[str, Mapping[str, str]] = {
    "libx264": {"preset": "superfast", "a53cc": "0"},  # no captions of the sample on all frames
    "libx265": {"preset": "ultrafast", "a53cc": "0", "x265-params": "log-level=error"},
    "libsvtav1": {"preset": "10"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "row-mt": "1"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
}
_WITHOUT_PRESETS = ("libvpx-vp9", "libvpx", "mpeg4")  # FFmpeg would ignore it without a word
_QSCALE = 118  # FF_QP2LAMBDA: what FFmpeg multiplies -qscale with
_MPEG4_TICKS = 65_535  # in a second at most, of MPEG-4 part 2


@dataclass(frozen=True)
class Encoder:
    """An encoder that opens: its name, its options, and what its context must be set to."""

    name: str
    options: Mapping[str, str]
    width: int
    height: int
    pix_fmt: str
    time_base: Fraction
    threads: int
    qscale: int | None

    def prepare(self, context: "VideoCodecContext") -> None:
        """Sets a context that is not open yet."""
        context.width, context.height, context.pix_fmt = self.width, self.height, self.pix_fmt
        context.time_base = self.time_base
        context.thread_count = self.threads
        # Frames in the order they are shown: with B-frames, MP4 counts a variable rate too short,
        # and recordings would lag.
        context.max_b_frames = 0
        context.flags |= Flags.frame_duration
        if self.qscale is not None:
            context.flags |= Flags.qscale
            context.global_quality = self.qscale * _QSCALE

    def refusal(self) -> str | None:
        """Why it does not open, or None if it does."""
        try:
            context = av.CodecContext.create(self.name, "w")
            assert isinstance(context, av.video.codeccontext.VideoCodecContext)
            context.options = dict(self.options)
            self.prepare(context)
            context.open()
        except (av.FFmpegError, ValueError) as error:
            return getattr(error, "strerror", None) or str(error)
        return None


def pick_encoder(
    settings: VideoSettings,
    container: "OutputContainer",
    path: Path,
    width: int,
    height: int,
    time_base: Fraction,
    notes: list[str],
) -> Encoder:
    """The encoder that the settings name, or else one that opens, with a note.

    H.264 and HEVC store 4:2:0 in pairs of pixels and refuse an odd side; there, 4:4:4 keeps the
    size exact. Its profile is read by FFmpeg, VLC, mpv and Chromium, not by all hardware; cropping
    by the container would be read by fewer, and padding would change the size.

    Raises:
        FastTransferError: none opens.
    """
    usual = _IN_WEBM if container.format.name == "webm" else _ELSEWHERE
    names = usual if settings.codec == "auto" else (settings.codec, *usual)
    first = None
    for name in names:
        for encoder in _candidates(name, settings, width, height, time_base):
            refusal = _unfit(encoder.name, container, path) or encoder.refusal()
            if refusal is None:
                if name != names[0]:
                    notes.append(f"{names[0]} cannot be used ({first}); encoded with {name}")
                if settings.preset != "auto" and name in _WITHOUT_PRESETS:
                    notes.append(f"video.preset={settings.preset} was left out: {name} has none")
                return encoder
            first = first or refusal
        first = first or "this PyAV has no such encoder"
        if settings.preset != "auto" and _is_there(name):
            break  # rather than another encoder, a preset that it knows
    raise FastTransferError(
        f"{path} of {width}×{height} pixels cannot be encoded with video.codec={settings.codec} "
        f"video.crf={settings.crf} video.preset={settings.preset} ({first}); leave one of them out"
    )


def _candidates(
    name: str, settings: VideoSettings, width: int, height: int, time_base: Fraction
) -> Iterator[Encoder]:
    if not _is_there(name):
        return
    formats = [fmt.name for fmt in av.Codec(name, "w").video_formats or []]
    options = {"crf": str(settings.crf)} | dict(_FAST.get(name, {}))
    if settings.preset != "auto" and name not in _WITHOUT_PRESETS:
        options["preset"] = settings.preset
    ticks = _MPEG4_TICKS if name == "mpeg4" else None
    if ticks is not None and time_base.denominator > ticks:
        time_base = Fraction(1, 60_000)  # at most 8 millionths of a second beside
    # An encoder without crf takes FFmpeg's -qscale, 2 to 31; one with crf does not look at it.
    qscale = min(31, max(2, settings.crf // 5)) if name not in _FAST else None
    preferred = [fmt for fmt in ("yuv420p", "yuv444p") if fmt in formats]
    for pix_fmt in preferred or formats[:1]:
        yield Encoder(name, options, width, height, pix_fmt, time_base, settings.threads, qscale)


def _is_there(name: str) -> bool:
    try:
        codec = av.Codec(name, "w")
    except UnknownCodecError:
        return False
    return codec.type == "video"


def _unfit(name: str, container: "OutputContainer", path: Path) -> str | None:
    return None if name in container.supported_codecs else f"{path.suffix} does not hold it"
