"""How videos are encoded, and which endings mean a video."""

from dataclasses import dataclass
from pathlib import Path

from ..core.errors import FastTransferError

# The containers that are written, by their endings, with their names in FFmpeg. They hold any
# timestamps and, Matroska above all, nearly every kind of sound and subtitles.
VIDEO_WRITERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
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
        for name, smallest in (("crf", 0), ("threads", 0), ("queue", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < smallest:
                raise FastTransferError(
                    f"video.{name}={value} must be a whole number from {smallest} on"
                )


def is_video(file: Path) -> bool:
    return file.suffix.lower() in VIDEO_SUFFIXES
