"""Files that appear whole or not at all, folders that are not used twice, names that are URLs."""

import io
import os
import re
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import FastTransferError, shown_name
from .scratch import new_part

_PATIENCE = 2.0  # seconds that Windows gets to release a file that another process reads


@contextmanager
def whole_file(path: Path, part: Path | None = None, *, durable: bool = False) -> Iterator[Path]:
    """A name to write to; when the block ends well, the file gets its own name, ``path``.

    ``path`` never holds a partial file, and nothing is left after an error. A link at
    ``path`` is replaced, not followed. The name to write to cannot be foreseen; what a killed process
    leaves is removed by the next process that writes to the same folder.

    Args:
        path: the file to make or to replace.
        part: the name to write to, on the same disk; None chooses one beside ``path``.
        durable: after a power cut, either the old file is there or the new one.

    Raises:
        OSError: it cannot be written; a name that is too long or a folder of that name is found
            before the block begins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _check_target(path)
    own = None if part else new_part(path.parent)
    temporary = own.path if own else part
    assert temporary is not None
    try:
        yield temporary
        _check_part(temporary, path)
        if durable:
            _sync(temporary, os.O_RDWR)
        if own and sys.platform == "win32":
            own.release()  # an open file cannot be renamed there
        _replace(temporary, path)
        if durable and sys.platform != "win32":
            _sync(path.parent, os.O_RDONLY)
    except BaseException:
        if own and sys.platform == "win32":
            own.release()
        temporary.unlink(missing_ok=True)
        raise
    finally:
        if own:
            own.release()


def write_whole(
    path: Path, write: Callable[[io.BufferedWriter], object], *, durable: bool = False
) -> None:
    """Lets ``write`` fill a file that appears as ``path`` whole or not at all; see ``whole_file``."""
    with whole_file(path, durable=durable) as temporary:
        # No O_CREAT: the file is there, and a link in its place is not followed.
        flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(temporary, flags), "wb") as file:
            write(file)


def _check_target(path: Path) -> None:
    """Raises for what would only fail at the end."""
    try:
        is_directory = stat.S_ISDIR(os.lstat(path).st_mode)
    except FileNotFoundError:
        return
    if is_directory:
        raise IsADirectoryError(21, "there is a folder of that name", str(path))


def _check_part(part: Path, path: Path) -> None:
    if not stat.S_ISREG(os.lstat(part).st_mode):
        raise FastTransferError(
            f"{path} was not written: another program replaced its unfinished file {part.name} by "
            "something else; write to a folder that others cannot change"
        )


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(part: Path, path: Path) -> None:
    """Windows refuses to replace a file that a viewer or a virus scanner has open."""
    deadline = time.monotonic() + (_PATIENCE if sys.platform == "win32" else 0)
    while True:
        try:
            os.replace(part, path)
        except PermissionError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.05)
        else:
            return


def fresh_folder(folder: Path) -> Path:
    """``folder``, or with a number behind it if there is one of that name already."""
    folder = folder.resolve() if not folder.name else folder  # such as “.”
    candidates = [folder, *(folder.with_name(f"{folder.name}-{n}") for n in range(2, 10_000))]
    return next(candidate for candidate in candidates if not os.path.lexists(candidate))


def is_remote(name: str | Path) -> bool:
    """Whether it is a URL, also as a ``Path``, where ``s3://bucket/a`` is ``s3:/bucket/a``."""
    return re.match(r"(?!file:|camera:)[a-z][a-z0-9+.-]+:/", _text(name)) is not None


def shown(path: Path) -> str:
    """As people write it, safe to print."""
    text = re.sub(r":/+", "://", _text(path), count=1) if is_remote(path) else str(path)
    return shown_name(text)


def _text(name: str | Path) -> str:
    return name.as_posix() if isinstance(name, Path) else name
