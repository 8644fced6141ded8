"""Which files of a folder are pictures."""

import errno
import fnmatch
import glob
import os
import stat
from collections.abc import Callable, Iterator, Sequence
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
    for place, _, names in _folders_below(folder, unread):
        for name in names:
            if wanted(Path(name)):
                yield Path(place, name)


def paths_matching(root: Path, pattern: Sequence[str], unread: Unread | None = None) -> list[Path]:
    """Files and folders below a folder whose names match, in the order of their names.

    Args:
        root: where to search.
        pattern: for each level a name with the wildcards of a shell; ``**`` stands for any number of
            folders, which are searched as ``files_below`` does.
        unread: see ``files_below``.

    Raises:
        FastTransferError: a folder that cannot be listed, if ``unread`` is None.
    """
    reported: set[Path] = set()

    def once(place: Path, error: FastTransferError) -> None:
        if unread is None:
            raise error
        if place not in reported:  # two ``**`` lead to one folder in several ways
            reported.add(place)
            unread(place, error)

    return sorted(set(_matching(root, list(pattern), once)))


def _matching(folder: Path, pattern: list[str], unread: Unread) -> Iterator[Path]:
    level, rest = pattern[0], pattern[1:]
    if level == "**":
        places = _folders_below(folder, unread) if _may_be_folder(folder) else ()
        for place, folders, names in places:
            if rest:
                yield from _matching(Path(place), rest, unread)
            else:
                yield from (Path(place, name) for name in (*folders, *names))
        return
    for path in _at_level(folder, level, unread):
        if rest:
            yield from _matching(path, rest, unread)
        elif _may_be_there(path):
            yield path


def _at_level(folder: Path, level: str, unread: Unread) -> Iterator[Path]:
    """What a name or a wildcard can stand for in a folder."""
    if not glob.has_magic(level):  # “..” is not listed, nor are folders that may only be entered
        yield folder / level
        return
    for name in _listed(folder, unread):
        if (name[0] != "." or level[0] == ".") and fnmatch.fnmatch(name, level):
            yield folder / name


def _may_be_there(path: Path) -> bool:
    """Also True where the system does not say, so that reading it names the reason."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass
    return True


def _may_be_folder(path: Path) -> bool:
    """Also True where the system does not say."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except OSError as error:
        return error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


def _listed(folder: Path, unread: Unread) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):  # a part of the pattern that is not there
        return []
    except OSError as error:
        unread(folder, _not_searched(folder, error))
        return []


def _not_searched(folder: Path, error: OSError) -> FastTransferError:
    return FastTransferError(
        f"{folder} cannot be searched ({error.strerror}); allow it, or move that folder away"
    )


def _folders_below(
    folder: Path, unread: Unread | None
) -> Iterator[tuple[str, list[str], list[str]]]:
    """A folder and those below it, each with the names of its folders and of what else is in it."""

    def failed(error: OSError) -> None:
        place = Path(os.fsdecode(error.filename))
        sentence = _not_searched(place, error)
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
                plain = sorted(name for name in names if name[0] != ".")
                yield place, [path.name for path in visible], plain
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
