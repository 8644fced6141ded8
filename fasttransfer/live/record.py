"""A recording: a video that grows while it is shown and can be played whatever happens."""

import threading
from pathlib import Path

import cv2
import numpy as np

from ..core.errors import FastTransferError
from ..video.finishing import drop_unfinished_piece, finish_video
from ..video.settings import VideoSettings
from ..video.writer import VideoWriter


class Recorder:
    """Every picture that is shown, at the time it was taken, into a video.

    The first picture sets the size; others (the camera or the working size may change) are resized.
    Until it is finished, the video grows under a name of its own, ``…-unfinished.mp4``. A program
    that is killed leaves that file, which plays up to its last second.

    Args:
        path: of the video, which appears there when it is finished.
        settings: how to encode.

    Raises:
        FastTransferError: PyAV is missing.
    """

    def __init__(self, path: Path, settings: VideoSettings) -> None:
        self.path = path
        self.growing = path.with_name(f"{path.stem}-unfinished{path.suffix}")
        self._lock = threading.Lock()  # pictures and the end come from different threads
        self._writer: VideoWriter | None = VideoWriter(self.growing, settings, growing=True)
        self._writer.__enter__()
        self._first: tuple[float, tuple[int, int]] | None = None
        self._seconds = 0.0

    @property
    def seconds(self) -> float:
        """How long the recording is."""
        return self._seconds

    @property
    def size(self) -> int:
        """How many bytes it has on the disk."""
        try:
            return self.growing.stat().st_size
        except OSError:
            return 0

    def write(self, pixels: np.ndarray, captured: float) -> None:
        """Appends RGB bytes (H, W, 3) taken at ``captured`` seconds; waits if the encoder is behind.

        Raises:
            FastTransferError: it cannot be written; what was written before is kept.
        """
        with self._lock:
            if self._writer is None:
                return
            if self._first is None:
                self._first = captured, (pixels.shape[1], pixels.shape[0])
            start, size = self._first
            if (pixels.shape[1], pixels.shape[0]) != size:
                pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
            try:
                self._writer.write(pixels, captured - start)
            except FastTransferError as error:
                raise self._kept_after(error) from error
            self._seconds = captured - start

    def finish(self) -> Path:
        """Waits for the encoder; returns the path of the video, which is whole.

        Raises:
            FastTransferError: it cannot be written to its end, or there was no picture.
        """
        with self._lock:
            writer, self._writer = self._writer, None
            if writer is None:
                return self.path
            try:
                writer.__exit__(None, None, None)
            except FastTransferError as error:
                raise self._kept_after(error) from error
            if self._first is None:
                raise FastTransferError("nothing was recorded, since there was no picture")
            self._take_name()
        return self.path

    def _kept_after(self, error: FastTransferError) -> FastTransferError:
        """Ends the recording with what is on the disk; returns the error that says so."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.__exit__(type(error), error, None)
        if self.size:
            drop_unfinished_piece(self.growing)
        if not self.size:
            self.growing.unlink(missing_ok=True)
            return error
        self._take_name()
        return FastTransferError(f"{error}; the recording has ended, and its beginning is kept")

    def _take_name(self) -> None:
        """Gives the video its name, with its index in front.

        Where there is no room for a copy, as it is.
        """
        try:
            finish_video(self.growing, self.path)
        except FastTransferError:
            self.growing.replace(self.path)
        else:
            self.growing.unlink(missing_ok=True)
