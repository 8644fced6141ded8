"""Opening video files with FFmpeg: as files and nothing else."""

import os
import stat
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
