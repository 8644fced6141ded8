"""Which files of a folder are pictures."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ..core.errors import FastTransferError
from .writing import WRITERS

# What a folder or a pattern offers as pictures; a file named by itself is always tried. HEIC is
# here although Pillow needs a plug-in for it: such photos are to be named, not passed over.
IMAGE_SUFFIXES = frozenset(WRITERS) | {
    *(".avif", ".dib", ".gif", ".heic", ".heif", ".ico", ".j2k", ".jfif", ".jp2", ".jpe", ".jpx"),
    *(".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga"),
}

Unread = Callable[[Path, FastTransferError], object]


def pictures_below(folder: Path, unread: Unread | None = None) -> Iterator[Path]:
    """The picture files in a folder and below it, see ``files_below``."""
    return files_below(folder, is_picture, unread)


def files_below(
    folder: Path, wanted: Callable[[Path], bool], unread: Unread | None = None
) -> Iterator[Path]:
    """The files in a folder and below it, in a fixed order, without what is hidden.

    Each folder is searched once, however many links lead to it; links come after all that is not
    below a link. A link to a folder that it lies in is not followed.

    Args:
        folder: where to search.
        wanted: which files to yield, by their names.
        unread: is called for each folder that cannot be listed, and the search continues; None
            raises the error instead.

    Raises:
        FastTransferError: a folder that cannot be listed, if ``unread`` is None.
    """

    def failed(error: OSError) -> None:
        place = Path(os.fsdecode(error.filename))
        sentence = FastTransferError(
            f"{place} cannot be searched ({error.strerror}); allow it, or move that folder away"
        )
        if unread is None:
            raise sentence from error
        unread(place, sentence)

    seen = {_identity(folder)}
    waiting = [folder]
    while waiting:
        links: list[Path] = []
        for top in waiting:
            for place, folders, names in os.walk(top, onerror=failed):
                visible = [Path(place, name) for name in sorted(folders) if name[0] != "."]
                links += filter(os.path.islink, visible)
                real = [path for path in visible if not os.path.islink(path)]
                folders[:] = [path.name for path in real if _is_new(path, seen)]
                for name in sorted(names):
                    if name[0] != "." and wanted(Path(name)):
                        yield Path(place, name)
        waiting = [link for link in links if not _leads_back(link) and _is_new(link, seen)]


def is_picture(file: Path) -> bool:
    """Whether a file is a picture, by its ending."""
    return file.suffix.lower() in IMAGE_SUFFIXES


def _identity(folder: Path) -> object:
    """The same for all names of a folder."""
    try:
        status = os.stat(folder)
    except OSError:
        return str(folder)
    return status.st_dev, status.st_ino


def _is_new(folder: Path, seen: set[object]) -> bool:
    """Whether a folder was not yet in ``seen``; now it is."""
    before = len(seen)
    seen.add(_identity(folder))
    return len(seen) > before


def _leads_back(link: Path) -> bool:
    target = os.path.realpath(link)
    place = os.path.realpath(link.parent)
    return os.path.commonpath([place, target]) == target if _same_drive(place, target) else False


def _same_drive(one: str, other: str) -> bool:
    return os.path.splitdrive(one)[0] == os.path.splitdrive(other)[0]
