"""How videos are encoded, and which endings mean a video."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..core.values import whole_number

# The containers that are written, by their endings, with their names in FFmpeg. They hold any
# timestamps and, Matroska above all, nearly every kind of sound and subtitles.
VIDEO_WRITERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
}

# Of MP4 and MOV: the index in front, so that a file plays while it is loaded; or an index for every
# second, so that it can be played while it grows and after the program was killed.
INDEX_FIRST: Mapping[str, str] = {"movflags": "+faststart"}
GROWING: Mapping[str, str] = {
    "movflags": "+empty_moov+default_base_moof",
    "frag_duration": "1000000",  # microseconds
    "flush_packets": "1",
}

# What a folder or a pattern offers as videos; a file named by itself is a video if it ends so.
VIDEO_SUFFIXES = frozenset(VIDEO_WRITERS) | {
    *(".3g2", ".3gp", ".asf", ".avi", ".divx", ".f4v", ".flv", ".m1v", ".m2t", ".m2ts", ".m2v"),
    *(".mjpeg", ".mpeg", ".mpg", ".mts", ".mxf", ".ogm", ".ogv", ".ts", ".vob", ".wmv", ".y4m"),
    *(".264", ".265", ".h264", ".h265", ".hevc", ".ivf", ".nut"),
}


@dataclass(frozen=True)
class VideoSettings:
    """How videos are encoded.

    Args:
        codec: an encoder of FFmpeg, such as ``libx264``, ``libx265``, ``libsvtav1``; ``auto`` takes
            H.264, and VP9 in ``.webm``.
        crf: the encoder's constant quality, smaller is better: 0 to 51 for H.264 and HEVC, 0 to 63
            for VP9 and AV1.
        preset: what the encoder calls its speed, such as ``veryfast`` (AV1: a number); ``auto`` is
            a fast one.
        threads: of the decoder and of the encoder each; 0 leaves it to them.
        queue: frames that may wait before and after the network, each.

    Raises:
        FastTransferError: a setting that cannot be used.
    """

    codec: str
    crf: int
    preset: str
    threads: int
    queue: int

    def __post_init__(self) -> None:
        whole_number("video.crf", self.crf, 0)
        whole_number("video.threads", self.threads, 0)
        whole_number("video.queue", self.queue, 1)


def ffmpeg_name(path: Path) -> str:
    """A file as FFmpeg must be given it: ``10:30.mp4`` would be taken for a protocol."""
    return f"file:{os.fspath(path)}"


def is_video(file: Path) -> bool:
    """Whether a file is a video, by its ending."""
    return file.suffix.lower() in VIDEO_SUFFIXES
