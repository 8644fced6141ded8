"""Which file becomes which: from what the user typed to pairs of paths, before any work."""

import glob
import os
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import FastTransferError
from ..core.files import is_remote, shown
from ..images.folders import files_below, is_picture
from ..images.writing import WRITERS, writer_of
from ..models.style_file import safe_name
from ..video.settings import VIDEO_WRITERS, is_video
from .jobs import Job
from .stores import files_at, is_pattern


@dataclass(frozen=True)
class _Found:
    """An input file, its place below an output folder, and its output if none was named."""

    path: Path
    relative: Path
    beside: Path


def plan(
    inputs: Sequence[str],
    output: str | None,
    style: str,
    several: bool,
    *,
    format: str | None,
    shard: str | None,
) -> list[Job]:
    """Pairs of input and output.

    Args:
        inputs: files, folders and patterns, of this machine or as URLs.
        output: a file or a folder; None puts results beside the input, named after the style.
        style: the style's name, as it enters the outputs' names.
        several: whether other styles go to the same ``output``, which then gets a folder for each.
        format: ending of all outputs of its kind, such as ``png`` or ``mkv``; None keeps the input's.
        shard: ``i/n`` does only the i-th of n parts of the files; None does all.

    Raises:
        FastTransferError: no input, an unknown ending, or outputs that would destroy an input or
            each other.
    """
    # Not every shell replaces the ~ in input=~/photos.
    inputs = [os.path.expanduser(name) for name in inputs]
    output = os.path.expanduser(output) if output is not None else None
    style = safe_name(style)
    _check_stores(inputs, output)
    folder = _output_folder(inputs, output)
    found = _find(inputs, style, folder)
    _check_format(format, found)
    if output is not None and folder is None:  # one file to one file
        target = Path(output)
        outputs = [target.with_stem(f"{target.stem}-{style}") if several else target]
    else:
        outputs = [_output(place, folder, style if several else "", format) for place in found]
    jobs = [Job(p.path, o) for p, o in zip(found, outputs, strict=True)]
    if len(inputs) == 1 and is_glob(inputs[0]):  # a pattern also catches earlier results
        made = {job.output for job in jobs if job.output != job.input}
        jobs = [job for job in jobs if job.input not in made]
    _check(jobs)
    if shard is None:
        return jobs
    chosen = in_shard(shard)
    places = {place.path: place.relative for place in found}
    return [job for job in jobs if chosen(places[job.input])]


def in_shard(shard: str) -> Callable[[Path], bool]:
    """Whether a file, by its place below the folder that was named, belongs to part ``i/n``. That
    follows from its name alone, so that it does not matter what else is there by now."""
    match = re.fullmatch(r"(\d+)/(\d+)", shard.strip())
    part, parts = (int(number) for number in match.groups()) if match else (0, 0)
    if not 1 <= part <= parts:
        raise FastTransferError(
            f"shard={shard} must be a part of a number of parts, such as 1/4, 2/4, 3/4 and 4/4"
        )
    return lambda place: zlib.crc32(place.as_posix().encode()) % parts == part - 1


def find_media(inputs: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """The picture files and the videos that ``inputs`` (files, folders, patterns) stand for, at
    least one of them."""
    found = [place.path for place in _find([os.path.expanduser(name) for name in inputs], "", None)]
    return [path for path in found if not is_video(path)], list(filter(is_video, found))


def _find(inputs: Sequence[str], style: str, folder: Path | None) -> list[_Found]:
    if not inputs or "" in inputs:
        raise FastTransferError(
            "input= is missing; write input=photo.jpg, input=clip.mp4, input=photos/ or "
            "input='photos/*.jpg'"
        )
    only = inputs[0] if len(inputs) == 1 and not is_remote(inputs[0]) else None
    if only is not None and not is_glob(only) and not os.path.exists(only):
        # One of several that is missing is a bad file among good ones; the only one is a mistake.
        raise FastTransferError(
            f"input={only} does not exist; write a file, a folder, a pattern in quotes, or "
            "several as input=[a.jpg,b.jpg]"
        )
    found = [place for item in inputs for place in _expand(item, style, folder)]
    if not found:
        raise FastTransferError(f"there are no pictures or videos in input={' '.join(inputs)}")
    return found


def _output_folder(inputs: Sequence[str], output: str | None) -> Path | None:
    """The folder for the outputs, or None if they go beside the inputs or to one named file."""
    if output is None:
        return None
    folder = Path(output)
    if output.endswith(("/", os.sep)) or folder.is_dir():
        return folder
    single = len(inputs) == 1 and not _is_folder(inputs[0]) and not is_glob(inputs[0])
    if single and folder.suffix:
        return None
    if folder.suffix.lower() in (WRITERS | VIDEO_WRITERS):
        raise FastTransferError(
            f"output={output} is a single file but input= may hold several; write a folder, "
            f"output={shown(folder.with_suffix(''))}/"
        )
    return folder


def _check_stores(inputs: Sequence[str], output: str | None) -> None:
    """Inputs are files, and results can be written where they belong."""
    for name in inputs:
        if name.startswith(("http://", "https://")) and "?" in name:
            raise FastTransferError(
                f"input={name} is an address with a query and not a file's; fetch the picture first"
            )
    for name in [output] if output is not None else inputs:
        web = name.startswith(("http://", "https://"))
        bucket = output is None and is_remote(name) and len(Path(name).parts) < 3
        if web or bucket:
            place = f"to output={name}" if output is not None else f"beside input={name}"
            raise FastTransferError(
                f"results cannot be written {place}; name a folder of this machine or of a store as "
                "output=, such as output=s3://bucket/stylized"
            )


def is_glob(item: str) -> bool:
    """Whether an item of ``input`` is a pattern; a file may well be called ``photo[1].jpg``."""
    if is_remote(item):
        return is_pattern(item)
    return glob.has_magic(item) and not os.path.exists(item)


def _is_folder(item: str) -> bool:
    # Stores know no folders, only files whose names begin alike; so the ending decides.
    return not _is_media(Path(item)) if is_remote(item) else Path(item).is_dir()


def _expand(item: str, style: str, folder: Path | None) -> Iterator[_Found]:
    """The files that one item of ``input`` stands for, in the order of their names."""
    path = Path(item)
    if is_glob(item):
        parts = path.parts
        fixed = next(i for i, part in enumerate(parts) if glob.has_magic(part))
        root = Path(*parts[:fixed])
        if is_remote(item):
            files = list(_files_of_store(item, root, _is_media))
        else:
            files = [Path(name) for name in sorted(glob.glob(item, recursive=True))]
            files = [file for file in files if file.is_file() and _is_media(file)]
    elif _is_folder(item):
        root = path
        if is_remote(item):
            files = list(_files_of_store(item, root, _is_media))
        else:
            files = list(files_below(path, _is_media))
    else:
        # Also a file that is missing: reading it says so, as for every bad file.
        yield _Found(path, Path(path.name), path.with_stem(f"{path.stem}-{style}"))
        return
    for file in files:
        if folder is None or not _inside(folder, root) or not _inside(file, folder):
            relative = file.relative_to(root)
            beside = file.with_stem(f"{file.stem}-{style}")
            if not is_glob(item):  # photos/a/b.jpg → photos-STYLE/a/b.jpg
                whole = path.resolve()  # the name of “.” is that of the folder it stands for
                base = whole if path.name in ("", "..") else path
                beside = base.with_name(f"{base.name}-{style}") / relative
            yield _Found(file, relative, beside)


def _files_of_store(item: str, root: Path, wanted: Callable[[Path], bool]) -> Iterator[Path]:
    for file in map(Path, files_at(item)):
        hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
        if not hidden and wanted(file):
            yield file


def _is_media(file: Path) -> bool:
    return is_picture(file) or is_video(file)


def _inside(path: Path, folder: Path) -> bool:
    return folder.resolve() in path.resolve().parents


def _output(place: _Found, folder: Path | None, style: str, format: str | None) -> Path:
    output = place.beside if folder is None else folder / style / place.relative
    writers, usual = (VIDEO_WRITERS, ".mkv") if is_video(place.path) else (WRITERS, ".png")
    if format is not None and _ending(format) in writers:
        return output.with_suffix(_ending(format))
    return output if output.suffix.lower() in writers else output.with_suffix(usual)


def _ending(format: str) -> str:
    return f".{format.lstrip('.')}"


def _check_format(format: str | None, found: Sequence[_Found]) -> None:
    """``format`` is for pictures or for videos; of the other kind, all keep what they have."""
    if format is None:
        return
    if _ending(format) not in (WRITERS | VIDEO_WRITERS):
        raise FastTransferError(
            f"format={format} is unknown; it must be one of "
            f"{' '.join(ending[1:] for ending in (WRITERS | VIDEO_WRITERS))}"
        )
    for_video = _ending(format) in VIDEO_WRITERS
    if not any(is_video(place.path) == for_video for place in found):
        kind, other = ("videos", "pictures") if for_video else ("pictures", "videos")
        raise FastTransferError(f"format={format} is for {kind}, but input= has only {other}")


def _check_kind(job: Job) -> None:
    """Videos become videos, pictures become pictures."""
    ending = job.output.suffix.lower()
    if job.is_video and ending not in VIDEO_WRITERS:
        raise FastTransferError(
            f"{shown(job.input)} is a video and cannot become {shown(job.output)}, whose ending is "
            f"{ending or 'missing'!r}; it must be one of {' '.join(VIDEO_WRITERS)}"
        )
    if not job.is_video and ending in VIDEO_WRITERS:
        raise FastTransferError(
            f"{shown(job.input)} is not a video and cannot become {shown(job.output)}; write an output= "
            f"that ends in one of {' '.join(WRITERS)}"
        )
    if not job.is_video:
        writer_of(job.output)


def _check(jobs: Sequence[Job]) -> None:
    for job in jobs:
        _check_kind(job)
    inputs = {job.input.resolve() for job in jobs}
    for job in jobs:
        if job.output.resolve() in inputs:
            raise FastTransferError(
                f"the stylized {shown(job.input)} would overwrite {shown(job.output)}, which is an "
                "input; choose another output="
            )
    counts = Counter(job.output.resolve() for job in jobs)
    twice = [job for job in jobs if counts[job.output.resolve()] > 1]
    if twice:
        both = " and ".join(shown(job.input) for job in twice[:2])
        raise FastTransferError(
            f"{both} would both become {shown(twice[0].output)}; rename "
            "one of them or stylize them one after the other into different outputs"
        )
