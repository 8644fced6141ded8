"""Writing videos, from a file's frames or from a camera. PyAV is imported when one is written."""

import errno
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import FastTransferError, brief
from ..core.files import whole_file
from ..core.libraries import require

if TYPE_CHECKING:
    from .clip import Clip
    from .muxer import Muxer
from .settings import GROWING, INDEX_FIRST, VideoSettings

_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your share of the disk is full",
    errno.EFBIG: "files as large as that are not allowed here",
}


class VideoWriter:
    """Writes frames to a video file that appears, under its name, when the ``with`` block ends well.

        with VideoWriter(Path("out.mp4"), settings) as writer:
            writer.write(frame, seconds)

    An error, Ctrl-C or no frame at all leaves no file. A thread converts and encodes; ``write``
    waits while ``settings.queue`` frames are waiting.

    Args:
        path: its ending names the container, one of ``VIDEO_WRITERS``.
        settings: how to encode.
        like: the clip whose sound, subtitles, chapters, colors, rotation and time base the video
            gets; None for a recording.
        growing: write under the name itself, so that what is there can be played at any time, also
            after an error or when the program is killed (MP4 in pieces of a second, MKV).

    Attributes:
        notes: sentences about what could not be done as asked, complete once the block has ended.

    Raises:
        FastTransferError: from ``write`` or at the end of the block: PyAV is missing, an encoder or
            a container that cannot be used, or a file that cannot be written.
    """

    def __init__(
        self,
        path: Path,
        settings: VideoSettings,
        like: "Clip | None" = None,
        growing: bool = False,
    ) -> None:
        self.path = path
        self._growing = growing
        self.notes: list[str] = []
        self._settings = settings
        self._like = like
        self._muxer: Muxer | None = None
        self._cleanup = ExitStack()
        self._pool = ThreadPoolExecutor(1)  # libav must be called by one thread at a time
        self._writing: deque[Future[None]] = deque()

    def __enter__(self) -> "VideoWriter":
        require("av", "video", "writing a video")
        return self

    def write(self, frame: np.ndarray, seconds: float, duration: float = 0.0) -> None:
        """Appends a frame.

        Args:
            frame: RGB bytes (H, W, 3), all of one size; must not be changed afterwards.
            seconds: when it is shown; larger than for the frame before, at any distance from it.
            duration: for how many seconds, which matters for the last frame only; 0: not known.
        """
        if len(self._writing) > self._settings.queue:
            self._writing.popleft().result()
        self._writing.append(self._pool.submit(self._encode, frame, seconds, duration))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self._pool.shutdown(cancel_futures=True)
            self._cleanup.__exit__(kind, error, traceback)  # removes the file
            return
        with in_one_sentence(self.path), self._cleanup:  # gives the file its name
            try:
                while self._writing:
                    self._writing.popleft().result()
                if self._muxer is not None:
                    self._pool.submit(self._muxer.finish).result()
            finally:
                self._pool.shutdown(cancel_futures=True)

    def _encode(self, frame: np.ndarray, seconds: float, duration: float) -> None:
        with in_one_sentence(self.path):
            if self._muxer is None:
                self._muxer = self._open()
            self._muxer.encode(frame, seconds, duration)

    def _open(self) -> "Muxer":
        from .muxer import Muxer, Target

        if self._growing:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.open("xb").close()  # never another file of that name, nor through a link
            target = Target(self.path, self.path, GROWING)
        else:
            unfinished = self._cleanup.enter_context(whole_file(self.path))
            target = Target(unfinished, self.path, INDEX_FIRST)
        return self._cleanup.enter_context(Muxer(target, self._settings, self._like, self.notes))


@contextmanager
def in_one_sentence(path: Path) -> Iterator[None]:
    """Says what kept ``path`` from being written, instead of FFmpeg's exception or the system's."""
    import av

    try:
        yield
    except (av.FFmpegError, OSError) as error:
        reason = _FULL.get(error.errno or 0) or error.strerror or brief(error)
        raise FastTransferError(f"{path} cannot be written ({reason})") from error
