"""Unfinished files and folders: unpredictable names, and removal of what dead processes left."""

import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .locks import try_lock

_PART, _FOLDER = ".part", ".folder"
_OURS = re.compile(r"\.fasttransfer-[0-9a-f]{32}\.(part|folder)")
_NEW = (
    os.O_RDWR
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)  # Windows has no such thing, and needs O_BINARY
    | getattr(os, "O_BINARY", 0)
)
_DAY = 86_400.0  # seconds

_swept: set[Path] = set()  # folders that this process has looked through


class Part:
    """An unfinished file of this process. Its name is random, and it is locked until released."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Closes it, which also unlocks it; what has the name stays."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def new_part(folder: Path) -> Part:
    """A new empty file in ``folder``, hidden; never a link, and with the mode that the umask wants."""
    _sweep(folder)
    while True:
        path = folder / f".fasttransfer-{secrets.token_hex(16)}{_PART}"
        descriptor = os.open(path, _NEW, 0o666)
        # Another process's sweep may have come between the two calls.
        if try_lock(descriptor) is not False and os.path.lexists(path):
            return Part(path, descriptor)
        os.close(descriptor)


@contextmanager
def scratch_folder(parent: Path | None = None) -> Iterator[Path]:
    """A new empty folder that only this user can enter, removed when the block ends.

    Args:
        parent: the folder for it; None is the system's for temporary files.

    What a killed process leaves is removed by the next process that asks for one in ``parent``.
    """
    parent = Path(tempfile.gettempdir()) if parent is None else parent
    parent.mkdir(parents=True, exist_ok=True)
    lock = new_part(parent)
    folder = lock.path.with_suffix(_FOLDER)
    try:
        folder.mkdir(0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
        lock.path.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Removes what processes left that are gone, once for each folder."""
    place = Path(os.path.abspath(folder))
    if place in _swept:
        return
    _swept.add(place)
    with suppress(OSError), os.scandir(folder) as entries:
        left = [Path(entry.path) for entry in entries if _OURS.fullmatch(entry.name)]
        for path in left:
            with suppress(OSError):
                if path.suffix == _PART:
                    _remove_abandoned(path)
        for path in left:  # a folder is made after its lock, so one without a lock is abandoned
            if path.suffix == _FOLDER and not os.path.lexists(path.with_suffix(_PART)):
                shutil.rmtree(path, ignore_errors=True)  # refuses a link


def _remove_abandoned(path: Path) -> None:
    """Removes an unfinished file if no process has it."""
    if sys.platform == "win32":
        if time.time() - path.stat().st_mtime > 60:  # one just closed may get its name now
            path.unlink()  # refused while it is open
        return
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or about.st_uid != os.getuid():
            return
        free = try_lock(descriptor)
        if free is None:  # unknown; a living process writes at least once a day
            free = time.time() - about.st_mtime > _DAY
        if free and os.path.samestat(about, os.lstat(path)):
            path.unlink()
    finally:
        os.close(descriptor)
