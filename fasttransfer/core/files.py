"""Files that appear whole or not at all, folders that are not used twice, names that are URLs."""

import hashlib
import io
import os
import re
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

if sys.platform != "win32":
    import fcntl


@contextmanager
def whole_file(path: Path, part: Path | None = None) -> Iterator[Path]:
    """A name to write to; when the block ends well, the file gets its own name, ``path``.

    Nobody ever sees half of it under ``path``, and after an error nothing is left. What a killed
    process left is written over by the next one that writes ``path``. The name is one beside ``path``,
    or ``part`` on the same disk, where nothing stays that a killed process leaves.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _claimed(path) if part is None else nullcontext(part) as temporary:
        try:
            yield temporary
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def _claimed(path: Path) -> Iterator[Path]:
    """The one hidden name for ``path``, held while the process lives; another if somebody has it."""
    own = path.with_name(f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:32]}.part")
    another = path.with_name(f".{uuid.uuid4().hex}.part")
    if sys.platform == "win32":
        yield another
        return
    descriptor = os.open(own, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who had it may have given the file its name meanwhile, and then this is no longer it.
            held = os.path.samestat(os.fstat(descriptor), os.stat(own))
        except (BlockingIOError, FileNotFoundError):
            held = False
        except OSError:  # a disk that knows no locks
            own.unlink(missing_ok=True)
            held = False
        if held:
            os.ftruncate(descriptor, 0)
        yield own if held else another
    finally:
        os.close(descriptor)


def write_whole(path: Path, write: Callable[[io.BufferedWriter], object]) -> None:
    """Lets ``write`` fill a file that appears as ``path`` whole or not at all."""
    with whole_file(path) as temporary, temporary.open("wb") as file:
        write(file)


def fresh_folder(folder: Path) -> Path:
    """``folder``, or with a number behind it if there is one of that name already."""
    folder = folder.resolve() if not folder.name else folder  # such as “.”
    candidates = [folder, *(folder.with_name(f"{folder.name}-{n}") for n in range(2, 10_000))]
    return next(candidate for candidate in candidates if not candidate.exists())


def is_remote(name: str | Path) -> bool:
    """Whether it is a URL, also as a ``Path``, where ``s3://bucket/a`` is ``s3:/bucket/a``."""
    return re.match(r"(?!file:)[a-z][a-z0-9+.-]+:/", _text(name)) is not None


def shown(path: Path) -> str:
    """As people write it."""
    return re.sub(r":/+", "://", _text(path), count=1) if is_remote(path) else str(path)


def _text(name: str | Path) -> str:
    return name.as_posix() if isinstance(name, Path) else name
