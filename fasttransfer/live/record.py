"""What the page saves: snapshots and recordings, and where."""

import re
import threading
import time
from collections.abc import Collection
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ..core.errors import FastTransferError
from ..core.files import write_whole
from ..video.settings import VideoSettings
from ..video.writer import VideoWriter


class Recorder:
    """Every picture that is shown, at the time it was taken, into a video.

    The first picture sets the size; others (the camera or the working size may change) are resized.

    Args:
        path: of the video, which appears there when it is finished.
        settings: how to encode.

    Raises:
        FastTransferError: PyAV is missing.
    """

    def __init__(self, path: Path, settings: VideoSettings) -> None:
        self.path = path
        self._lock = threading.Lock()  # pictures and the end come from different threads
        self._writer: VideoWriter | None = VideoWriter(path, settings).__enter__()
        self._first: tuple[float, tuple[int, int]] | None = None
        self._seconds = 0.0

    @property
    def seconds(self) -> float:
        """How long the recording is."""
        return self._seconds

    def write(self, pixels: np.ndarray, captured: float) -> None:
        """Appends RGB bytes (H, W, 3) taken at ``captured`` seconds; waits if the encoder is behind.

        Raises:
            FastTransferError: it cannot be written; the recording is lost.
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
                self._end(error)
                raise
            self._seconds = captured - start

    def finish(self) -> Path:
        """Waits for the encoder; returns the path of the video, which is whole.

        Raises:
            FastTransferError: it cannot be written, or there was no picture.
        """
        with self._lock:
            if self._first is None:
                self._end(None)
                raise FastTransferError("nothing was recorded, since there was no picture")
            self._end(None)
        return self.path

    def _end(self, error: FastTransferError | None) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.__exit__(type(error) if error else None, error, None)


def free_name(folder: Path, style: str, ending: str, taken: Collection[str]) -> Path:
    """A file in ``folder`` named after the style and the time, that is not there yet.

    Args:
        taken: names that are given away already, though their files may not be there yet.
    """
    safe = re.sub(r"[^\w.-]+", "-", style).strip(".") or "style"
    stem = f"{safe}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = (f"{stem}{'' if n == 1 else f'-{n}'}{ending}" for n in range(1, 10_000))
    return next(folder / n for n in names if n not in taken and not (folder / n).exists())


def save_png(path: Path, pixels: np.ndarray) -> None:
    """Saves RGB bytes (H, W, 3), whole or not at all.

    Raises:
        FastTransferError: it cannot be written.
    """
    image = Image.fromarray(pixels)
    try:
        write_whole(path, lambda file: image.save(file, "PNG"))
    except OSError as error:
        raise FastTransferError(f"{path} cannot be written ({error.strerror})") from error


def output_folder(output: str | None) -> Path:
    """The folder that ``output=`` names; it may not be there yet.

    Raises:
        FastTransferError: it is the name of a file.
    """
    folder = Path(output or ".").expanduser()
    if folder.is_file() or (folder.suffix and not folder.is_dir()):
        raise FastTransferError(
            f"output={output} must be a folder for input=camera, where snapshots and recordings go"
        )
    return folder
