"""Which files stand behind what the user typed: files, folders, patterns, and URLs."""

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.errors import FastTransferError
from ..core.files import is_remote
from ..core.paths import exists, is_folder, real_path
from ..images.folders import Unread, files_below, is_picture, paths_matching
from ..video.settings import is_video
from .stores import files_at, is_pattern


@dataclass(frozen=True)
class Found:
    """An input file, and where its result goes.

    Attributes:
        path: the file.
        relative: its place below an output folder.
        folder: for a result beside the inputs, the folder.
        tail: what a result beside the inputs has behind its stem.
        url: the exact name of a file in a store, of which a path cannot have every form.
    """

    path: Path
    relative: Path
    folder: Path
    tail: str
    url: str | None = None

    @property
    def beside(self) -> Path:
        """Its result if no output was named."""
        return self.folder / f"{self.relative.stem}{self.tail}{self.relative.suffix}"

    def with_stem(self, stem: str) -> "Found":
        """The same file with a result of another name."""
        return replace(self, relative=self.relative.with_name(f"{stem}{self.relative.suffix}"))


def find(
    inputs: Sequence[str], style: str, folder: Path | None, unread: Unread | None = None
) -> list[Found]:
    """The pictures and videos behind ``inputs``, at least one of them, and each once.

    Args:
        inputs: files, folders, and patterns, of this machine or as URLs.
        style: the style's name, for results beside the inputs.
        folder: the output folder, whose files are not inputs; None: there is none.
        unread: is called for each folder that cannot be searched; None raises the error instead.

    Raises:
        FastTransferError: nothing is found, or a folder cannot be searched.
    """
    if not inputs or "" in inputs:
        raise FastTransferError(
            "input= is missing; write input=photo.jpg, input=clip.mp4, input=photos/ or "
            "input='photos/*.jpg'"
        )
    if len(inputs) == 1 and not is_remote(inputs[0]):
        _check_only(inputs[0])
    found: dict[str, Found] = {}
    failed = 0

    def failing(place: Path, error: FastTransferError) -> None:
        nonlocal failed
        failed += 1
        if unread is None:
            raise error
        unread(place, error)

    for item in inputs:
        for place in _expand(item, style, folder, failing):
            found.setdefault(_identity(place), place)
    if not found and not failed:
        raise FastTransferError(f"there are no pictures or videos in input={' '.join(inputs)}")
    return list(found.values())


def is_glob(item: str) -> bool:
    """Whether an item of ``input`` is a pattern; a file may well be called ``photo[1].jpg``."""
    if is_remote(item):
        return is_pattern(item)
    return glob.has_magic(item) and not exists(item)


def matching(pattern: str, unread: Unread | None = None) -> list[Path]:
    """What is on this machine behind a pattern, see ``paths_matching``."""
    root = _fixed_part(pattern)
    return paths_matching(root, Path(pattern).parts[len(root.parts) :], unread)


def is_many(item: str) -> bool:
    """Whether an item of ``input`` may stand for several files."""
    if is_glob(item):
        return True
    # Stores know no folders, only files whose names begin alike; so the ending decides.
    return not is_media(Path(item)) if is_remote(item) else is_folder(item)


def is_media(file: Path) -> bool:
    """Whether a file is a picture or a video, by its ending."""
    return is_picture(file) or is_video(file)


def _check_only(item: str) -> None:
    """One of several that is missing is a bad file among good ones; the only one is a mistake."""
    if is_glob(item) or exists(item):
        return
    if exists(f"[{item}]"):
        raise FastTransferError(
            f"input=[{item}] is a list of one name, and {item} does not exist; for [{item}] itself "
            f"write input=./[{item}]"
        )
    raise FastTransferError(
        f"input={item} does not exist; write a file, a folder, a pattern in quotes, or "
        "several as input=a.jpg,b.jpg"
    )


def _identity(place: Found) -> str:
    """The same for each way to write a file's name. A link and its target are two files."""
    if place.url is not None:
        return place.url
    parent = Path(os.path.realpath(place.path.parent))
    return os.path.normcase(parent / place.path.name)


def _expand(item: str, style: str, folder: Path | None, unread: Unread) -> Iterator[Found]:
    """The files that one item of ``input`` stands for, in the order of their names."""
    path, tail = Path(item), f"-{style}"
    if not is_many(item):
        # Also a file that is missing: reading it says so, as for every bad file.
        yield Found(path, Path(path.name), path.parent, tail, item if is_remote(item) else None)
        return
    pattern = is_glob(item)
    root = _fixed_part(item) if pattern else path
    if not pattern and folder is None:
        results = _results_of(path, style)
    for file, url in _files(item, root, pattern, unread):
        if folder is not None and _inside(folder, root) and _inside(file, folder):
            continue  # an earlier result
        relative = file.relative_to(root)
        if pattern:
            yield Found(file, relative, file.parent, tail, url)
        else:  # photos/a/b.jpg → photos-STYLE/a/b.jpg
            place = results / relative.parent if folder is None else relative.parent
            yield Found(file, relative, place, "", url)


def _files(
    item: str, root: Path, pattern: bool, unread: Unread
) -> Iterator[tuple[Path, str | None]]:
    """The files, and in a store their exact names."""
    if is_remote(item):
        for url in files_at(item):
            file = Path(url)
            hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
            if not hidden and is_media(file):
                yield file, url
    elif pattern:
        for file in matching(item, unread):
            if is_media(file) and not is_folder(file):
                yield file, None
    else:
        for file in files_below(root, is_media, unread):
            yield file, None


def _fixed_part(pattern: str) -> Path:
    """The folder that a pattern begins with.

    A part that exists as it is typed, such as ``photos [2024]``, stands for itself.
    """
    root = Path()
    for part in Path(pattern).parts:
        if glob.has_magic(part) and (is_remote(pattern) or not exists(root / part)):
            break
        root /= part
    return root


def _results_of(path: Path, style: str) -> Path:
    """The folder beside an input folder.

    Raises:
        FastTransferError: there is nothing beside it.
    """
    whole = real_path(path)  # the name of “.” is that of the folder it stands for
    base = whole if path.name in ("", "..") else path
    if not base.name:
        raise FastTransferError(
            f"input={path} is a whole drive, and nothing can be beside it; name a folder for the "
            "results as output="
        )
    return base.with_name(f"{base.name}-{style}")


def _inside(path: Path, folder: Path) -> bool:
    return real_path(folder) in real_path(path).parents
