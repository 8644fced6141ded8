"""Files that appear whole or not at all, folders that are not used twice, names that are URLs."""

import io
import os
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A name beside ``path`` to write to; when the block ends well, the file gets its own name.

    Nobody ever sees half of it under ``path``, and after an error nothing is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, write: Callable[[io.BufferedWriter], object]) -> None:
    """Lets ``write`` fill a file that appears as ``path`` whole or not at all."""
    with whole_file(path) as temporary, temporary.open("wb") as file:
        write(file)


def fresh_folder(folder: Path) -> Path:
    """``folder``, or with a number behind it if there is one of that name already."""
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
