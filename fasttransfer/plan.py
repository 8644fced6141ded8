"""Which picture file becomes which: from what the user typed to pairs of paths, before any work."""

import glob
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .checkpoint import safe_name
from .errors import FastTransferError
from .images import IMAGE_SUFFIXES, WRITERS, writer_of


@dataclass(frozen=True)
class Job:
    """One picture to stylize: its file and the file it becomes."""

    input: Path
    output: Path


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
    *,
    several: bool,
    format: str | None,
) -> list[Job]:
    """Pairs of input and output; the arguments are those of ``media.open_media``.

    Raises:
        FastTransferError: no input, an unknown ending, or outputs that would destroy an input or
            each other.
    """
    # Not every shell replaces the ~ in input=~/photos.
    inputs = [os.path.expanduser(name) for name in inputs]
    output = os.path.expanduser(output) if output is not None else None
    style = safe_name(style)
    folder = _output_folder(inputs, output)
    found = _find(inputs, style, folder)
    if output is not None and folder is None:  # one picture to one file
        target = Path(output)
        outputs = [target.with_stem(f"{target.stem}-{style}") if several else target]
    else:
        outputs = [_output(place, folder, style if several else "", format) for place in found]
    jobs = [Job(p.path, o) for p, o in zip(found, outputs, strict=True)]
    if len(inputs) == 1 and _is_glob(inputs[0]):  # a pattern also catches earlier results
        made = {job.output for job in jobs if job.output != job.input}
        jobs = [job for job in jobs if job.input not in made]
    _check(jobs)
    return jobs


def find_pictures(inputs: Sequence[str]) -> list[Path]:
    """The picture files that ``inputs`` (files, folders, patterns) stand for, at least one."""
    return [place.path for place in _find(inputs, "", None)]


def _find(inputs: Sequence[str], style: str, folder: Path | None) -> list[_Found]:
    if not inputs or "" in inputs:
        raise FastTransferError(
            "input= is missing; write input=photo.jpg, input=photos/ or input='photos/*.jpg'"
        )
    if len(inputs) == 1 and not _is_glob(inputs[0]) and not os.path.exists(inputs[0]):
        # One of several that is missing is a bad file among good ones; the only one is a mistake.
        raise FastTransferError(
            f"input={inputs[0]} does not exist; write a file, a folder, a pattern in quotes, or "
            "several as input=[a.jpg,b.jpg]"
        )
    found = [place for item in inputs for place in _expand(item, style, folder)]
    if not found:
        raise FastTransferError(f"there are no pictures in input={' '.join(inputs)}")
    return found


def _output_folder(inputs: Sequence[str], output: str | None) -> Path | None:
    """The folder for the outputs, or None if they go beside the inputs or to one named file."""
    if output is None:
        return None
    folder = Path(output)
    if output.endswith(("/", os.sep)) or folder.is_dir():
        return folder
    single = len(inputs) == 1 and not Path(inputs[0]).is_dir() and not _is_glob(inputs[0])
    if single and folder.suffix:
        return None
    if folder.suffix.lower() in WRITERS:
        raise FastTransferError(
            f"output={output} is a single picture but input= may hold several; write a folder, "
            f"output={folder.with_suffix('')}/"
        )
    return folder


def _is_glob(item: str) -> bool:
    # A file may well be called photo[1].jpg.
    return glob.has_magic(item) and not os.path.exists(item)


def _expand(item: str, style: str, folder: Path | None) -> Iterator[_Found]:
    """The picture files that one item of ``input`` stands for, in the order of their names."""
    path = Path(item)
    if _is_glob(item):
        parts = path.parts
        fixed = next(i for i, part in enumerate(parts) if glob.has_magic(part))
        root = Path(*parts[:fixed])
        files = [Path(name) for name in sorted(glob.glob(item, recursive=True))]
        files = [file for file in files if file.is_file() and _is_picture(file)]
    elif path.is_dir():
        root = path
        files = list(pictures_below(path))
    else:
        # Also a file that is missing: reading it says so, as for every bad file.
        yield _Found(path, Path(path.name), path.with_stem(f"{path.stem}-{style}"))
        return
    for file in files:
        if folder is None or not _inside(folder, root) or not _inside(file, folder):
            relative = file.relative_to(root)
            beside = file.with_stem(f"{file.stem}-{style}")
            if not _is_glob(item):  # photos/a/b.jpg → photos-STYLE/a/b.jpg
                whole = path.resolve()  # the name of “.” is that of the folder it stands for
                base = whole if path.name in ("", "..") else path
                beside = base.with_name(f"{base.name}-{style}") / relative
            yield _Found(file, relative, beside)


def pictures_below(folder: Path) -> Iterator[Path]:
    """The picture files in a folder and below it, in a fixed order, without what is hidden."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and _is_picture(Path(name)):
                yield Path(place, name)


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in IMAGE_SUFFIXES


def _inside(path: Path, folder: Path) -> bool:
    return folder.resolve() in path.resolve().parents


def _output(place: _Found, folder: Path | None, style: str, format: str | None) -> Path:
    output = place.beside if folder is None else folder / style / place.relative
    if format is not None:
        return output.with_suffix(f".{format.lstrip('.')}")
    return output if output.suffix.lower() in WRITERS else output.with_suffix(".png")


def _check(jobs: Sequence[Job]) -> None:
    for job in jobs:
        writer_of(job.output)
    inputs = {job.input.resolve() for job in jobs}
    for job in jobs:
        if job.output.resolve() in inputs:
            raise FastTransferError(
                f"the stylized {job.input} would overwrite {job.output}, which is an input; "
                "choose another output="
            )
    counts = Counter(job.output.resolve() for job in jobs)
    twice = [job for job in jobs if counts[job.output.resolve()] > 1]
    if twice:
        raise FastTransferError(
            f"{twice[0].input} and {twice[1].input} would both become {twice[0].output}; rename "
            "one of them or stylize them one after the other into different outputs"
        )
