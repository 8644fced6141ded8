"""Opening video files with FFmpeg: as files and nothing else."""

import io
import os
import stat
from fractions import Fraction
from pathlib import Path

import av

from ..core.errors import FastTransferError, brief
from .settings import ffmpeg_name

# The kinds of files that are opened, by the names of FFmpeg's demuxers. Playlists (hls, concat,
# dash, sdp, …) are none of them: they name other files and addresses, which would be opened.
_FORMATS = (
    *("asf", "avi", "dv", "flv", "h264", "hevc", "ivf", "m4v", "matroska,webm", "mjpeg"),
    *("mov,mp4,m4a,3gp,3g2,mj2", "mpeg", "mpegts", "mpegvideo", "mxf", "nut", "obu", "ogg"),
    *("rawvideo", "yuv4mpegpipe"),
)
_ONLY_FILES = {"protocol_whitelist": "file", "format_whitelist": ",".join(_FORMATS)}


class _Part(io.RawIOBase):
    """Bytes ``start`` to ``stop`` of a file as a file; ``stop`` None is the file's end."""

    def __init__(self, path: Path, start: int, stop: int | None) -> None:
        self._file = path.open("rb")
        self._start = start
        self._stop = os.fstat(self._file.fileno()).st_size if stop is None else stop
        self._file.seek(start)

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._stop - self._file.tell())
        return self._file.read(left if size < 0 else min(size, left))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: self._start, os.SEEK_CUR: self._file.tell(), os.SEEK_END: self._stop}
        return self._file.seek(max(self._start, base[whence] + offset)) - self._start

    def tell(self) -> int:
        return self._file.tell() - self._start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()


def length_of_part(path: Path, start: int, stop: int | None) -> Fraction | None:
    """Seconds of the video that bytes ``start`` to ``stop`` of a file are, or None if unknown."""
    try:
        with (
            _Part(path, start, stop) as part,
            av.open(part, metadata_errors="ignore", container_options=_ONLY_FILES) as container,
        ):
            length = container.duration
    except (av.FFmpegError, OSError, ValueError):
        return None
    return None if length is None else Fraction(length, av.time_base)


def open_container(path: Path) -> "av.container.InputContainer":
    """Opens a video file.

    Raises:
        FastTransferError: missing, no regular file, or nothing that FFmpeg reads as a video.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would be waited for
            raise FastTransferError(f"{path} is not a file")
        # Names and titles may be in any encoding; they are copied as the bytes they are.
        return av.open(
            ffmpeg_name(path), metadata_errors="surrogateescape", container_options=_ONLY_FILES
        )
    except FileNotFoundError as error:
        raise FastTransferError(f"{path} does not exist; check the spelling") from error
    except PermissionError as error:
        raise FastTransferError(f"{path} cannot be opened ({error.strerror})") from error
    except av.error.ArgumentError as error:  # what FFmpeg says of a format that is not in the list
        raise FastTransferError(f"{path} is no video, whatever its name says") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or brief(error)
        raise FastTransferError(f"{path} is no video, damaged or cut short ({reason})") from error
