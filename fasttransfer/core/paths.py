"""Names of files that may be anything: questions that never raise, and files that are files."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from .errors import FastTransferError, brief

# O_NONBLOCK: opening a FIFO must not wait for a writer. Windows has neither, and needs O_BINARY.
_READ = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def exists(path: str | Path) -> bool:
    """Whether something is there; False for a name that cannot be asked for.

    ``Path.exists`` raises for names that are too long and for places without permission.
    """
    return os.path.exists(path)


def is_file(path: str | Path) -> bool:
    """Whether a regular file is there; False for a name that cannot be asked for."""
    return os.path.isfile(path)


def is_folder(path: str | Path) -> bool:
    """Whether a folder is there; False for a name that cannot be asked for."""
    return os.path.isdir(path)


def expand_user(name: str | Path) -> Path:
    """``~`` and ``~name`` as the home of that user; unchanged where there is no such user."""
    return Path(os.path.expanduser(name))


def real_path(path: str | Path) -> Path:
    """The absolute path without links; of a link that leads back to itself, the link.

    ``Path.resolve`` raises for such a link.
    """
    return Path(os.path.realpath(path))


def open_regular(path: Path) -> BinaryIO:
    """Opens a regular file to read bytes. A pipe, socket, or device is never waited for.

    Raises:
        FastTransferError: it is missing, may not be read, or is no regular file.
    """
    check_regular(path)
    try:
        descriptor = os.open(path, _READ)
    except OSError as error:
        raise FastTransferError(_unreadable(path, error)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # replaced since it was looked at
        os.close(descriptor)
        raise FastTransferError(f"{path} cannot be opened: it is not a regular file")
    return os.fdopen(descriptor, "rb")


def check_regular(path: Path) -> None:
    """For a library that opens the file by its name.

    Raises:
        FastTransferError: it is missing, its name is impossible, or it is no regular file.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError) as error:
        raise FastTransferError(_unreadable(path, error)) from error
    if not stat.S_ISREG(mode):
        kind = next((name for test, name in _KINDS if test(mode)), "something else")
        raise FastTransferError(f"{path} cannot be opened: it is {kind}, not a regular file")


def _unreadable(path: Path, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{path} does not exist; check the spelling"
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return f"{path} cannot be opened: it is a link that leads back to itself"
    reason = error.strerror if isinstance(error, OSError) else None
    return f"{path} cannot be opened ({reason or brief(error)})"
