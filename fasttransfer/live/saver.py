"""What the page saves: snapshots and recordings, where, and how much."""

import io
import re
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from ..core.errors import FastTransferError
from ..core.files import write_whole
from ..core.paths import expand_user
from .limits import OverQuotaError, Quota
from .record import Recorder
from .settings import SessionSettings
from .shown import Shown

NAME_BYTES = 100  # of a style in the names of files, which most disks limit to 255 bytes


class Saver:
    """Snapshots and one recording at a time, in one folder; to be called by any thread.

    Args:
        folder: where files go; it is made when the first one is written.
        settings: how recordings are encoded, and how much may be saved.
    """

    def __init__(self, folder: Path, settings: SessionSettings) -> None:
        self.folder = folder
        self.saved: dict[str, Path] = {}  # whole files by their names
        self.message = ""  # why the last recording ended, if not by the user
        self._settings = settings
        self._quota = Quota(settings.max_saved)
        self._lock = threading.Lock()  # for the recorder
        self._naming = threading.Lock()
        self._names: set[str] = set()  # given away, though the files may not be there yet
        self._recorder: Recorder | None = None
        self._counted = 0  # bytes of the recording

    @property
    def seconds(self) -> float | None:
        """How long the recording is; None while there is none."""
        recorder = self._recorder
        return None if recorder is None else recorder.seconds

    def snapshot(self, shown: Shown) -> Path:
        """Saves a picture as PNG.

        Raises:
            FastTransferError: it cannot be written.
        """
        encoded = io.BytesIO()
        Image.fromarray(shown.stylized).save(encoded, "PNG")
        path = self._new_name(shown.choice.name, ".png", len(encoded.getbuffer()))
        with _one_sentence(path):
            write_whole(path, lambda file: file.write(encoded.getbuffer()))
        self.saved[path.name] = path
        return path

    def start(self, style: str) -> Path:
        """Starts a recording, unless there is one; returns the file that it becomes.

        Raises:
            FastTransferError: it cannot be written.
        """
        with self._lock:
            if self._recorder is None:
                self.message, self._counted = "", 0
                self._recorder = Recorder(self._new_name(style, ".mp4", 0), self._settings.video)
            return self._recorder.path

    def finish(self) -> Path | None:
        """Ends the recording, if there is one, and returns its file once that is whole.

        Raises:
            FastTransferError: it cannot be written to its end.
        """
        with self._lock:
            recorder, self._recorder = self._recorder, None
        if recorder is None:
            return None
        try:
            return recorder.finish()
        finally:
            self._list(recorder)

    def write(self, shown: Shown) -> None:
        """Hands a picture to the recording, if there is one; waits if the encoder is behind."""
        recorder = self._recorder
        if recorder is None:
            return
        try:
            recorder.write(shown.stylized, shown.captured)
            grown = recorder.size - self._counted
            if grown > 0:
                self._quota.add(0, grown)
                self._counted += grown
        except FastTransferError as error:
            self.message = str(error)
            self._recorder = None
            if isinstance(error, OverQuotaError):
                recorder.finish()
            self._list(recorder)

    def _list(self, recorder: Recorder) -> None:
        if recorder.path.is_file():
            self.saved[recorder.path.name] = recorder.path

    def _new_name(self, style: str, ending: str, count: int) -> Path:
        self._quota.add(1, count)
        with self._naming:
            path = free_name(self.folder, style, ending, self._names)
            self._names.add(path.name)
        return path


def free_name(folder: Path, style: str, ending: str, taken: Collection[str]) -> Path:
    """A file in ``folder`` named after the style and the time, that is not there yet.

    Args:
        taken: names that are given away already, though their files may not be there yet.
    """
    safe = re.sub(r"[^\w.-]+", "-", style).encode()[:NAME_BYTES].decode(errors="ignore")
    stem = f"{safe.strip('.') or 'style'}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = (f"{stem}{'' if n == 1 else f'-{n}'}{ending}" for n in range(1, 10_000))
    return next(folder / n for n in names if n not in taken and not (folder / n).exists())


def output_folder(output: str | None) -> Path:
    """The folder that ``output=`` names; it may not be there yet.

    Raises:
        FastTransferError: it is the name of a file.
    """
    folder = expand_user(output or ".")
    if folder.is_file() or (folder.suffix and not folder.is_dir()):
        raise FastTransferError(
            f"output={output} must be a folder for input=camera, where snapshots and recordings go"
        )
    return folder


@contextmanager
def _one_sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FastTransferError(f"{path} cannot be written ({error.strerror})") from error
