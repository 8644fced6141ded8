"""Files that appear whole or not at all, and folders that are not used twice."""

import io
import os
import uuid
from collections.abc import Callable
from pathlib import Path


def write_whole(path: Path, write: Callable[[io.BufferedWriter], object]) -> None:
    """Lets ``write`` fill a file beside ``path`` and renames it: nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with temporary.open("wb") as file:
            write(file)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def fresh_folder(folder: Path) -> Path:
    """``folder``, or with a number behind it if there is one of that name already."""
    candidates = [folder, *(folder.with_name(f"{folder.name}-{n}") for n in range(2, 10_000))]
    return next(candidate for candidate in candidates if not candidate.exists())
