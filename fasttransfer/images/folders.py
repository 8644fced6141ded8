"""Which files of a folder are pictures."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from .writing import WRITERS

# What a folder or a pattern offers as pictures; a file named by itself is always tried. HEIC is
# here although Pillow needs a plug-in for it: such photos are to be named, not passed over.
IMAGE_SUFFIXES = frozenset(WRITERS) | {
    *(".avif", ".dib", ".gif", ".heic", ".heif", ".ico", ".j2k", ".jfif", ".jp2", ".jpe", ".jpx"),
    *(".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga"),
}


def pictures_below(folder: Path) -> Iterator[Path]:
    """The picture files in a folder and below it, in a fixed order, without what is hidden."""
    return files_below(folder, is_picture)


def files_below(folder: Path, wanted: Callable[[Path], bool]) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and wanted(Path(name)):
                yield Path(place, name)


def is_picture(file: Path) -> bool:
    return file.suffix.lower() in IMAGE_SUFFIXES
