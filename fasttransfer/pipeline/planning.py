"""Which file becomes which: from what the user typed to pairs of paths, before any work."""

import itertools
import os
import re
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from ..core.errors import FastTransferError
from ..core.files import is_remote, shown
from ..core.paths import is_folder, real_path
from ..core.progress import Report
from ..images.writing import WRITERS, writer_of
from ..models.style_file import safe_name
from ..video.settings import VIDEO_WRITERS, is_video
from .finding import Found, find, is_glob, is_many
from .jobs import Job


def plan(
    inputs: Sequence[str],
    output: str | None,
    style: str,
    several: bool,
    report: Report,
    *,
    format: str | None,
    shard: str | None,
) -> list[Job]:
    """Pairs of input and output.

    Args:
        inputs: files, folders, and patterns, of this machine or as URLs.
        output: a file or a folder; None puts results beside the input, named after the style.
        style: the style's name, as it enters the outputs' names.
        several: whether other styles go to the same ``output``, which then gets a folder for each.
        report: gets folders that cannot be searched, and results that get another name because two
            would have the same.
        format: ending of all outputs of its kind, such as ``png`` or ``mkv``; None keeps the input's.
        shard: ``i/n`` does only the i-th of n parts of the files; None does all.

    Raises:
        FastTransferError: no input, an unknown ending, or outputs that would destroy an input.
    """
    # Not every shell replaces the ~ in input=~/photos.
    inputs = [os.path.expanduser(name) for name in inputs]
    output = os.path.expanduser(output) if output is not None else None
    style = safe_name(style)
    _check_stores(inputs, output)
    folder = _output_folder(inputs, output)
    found = find(inputs, style, folder, report.fail)
    _check_format(format, found)
    if output is not None and folder is None:  # one file to one file
        target = Path(output)
        target = target.with_stem(f"{target.stem}-{style}") if several else target
        jobs = [Job(place.path, target, place.url) for place in found]
    else:
        inside = folder / style if folder is not None and several else folder
        jobs = _jobs(found, inside, format, report)
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
    """Whether a file, by its place below the folder that was named, belongs to part ``i/n``.

    That follows from its name alone, so that it does not matter what else is there by now.
    """
    match = re.fullmatch(r"(\d+)/(\d+)", shard.strip())
    part, parts = (int(number) for number in match.groups()) if match else (0, 0)
    if not 1 <= part <= parts:
        raise FastTransferError(
            f"shard={shard} must be a part of a number of parts, such as 1/4, 2/4, 3/4 and 4/4"
        )
    return lambda place: zlib.crc32(place.as_posix().encode()) % parts == part - 1


def find_media(inputs: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """The picture files and the videos that ``inputs`` (files, folders, patterns) stand for.

    There is at least one of them.
    """
    found = [place.path for place in find([os.path.expanduser(name) for name in inputs], "", None)]
    return [path for path in found if not is_video(path)], list(filter(is_video, found))


def _output_folder(inputs: Sequence[str], output: str | None) -> Path | None:
    """The folder for the outputs, or None if they go beside the inputs or to one named file."""
    if output is None:
        return None
    folder = Path(output)
    if output.endswith(("/", os.sep)) or is_folder(folder):
        return folder
    if len(inputs) == 1 and not is_many(inputs[0]) and folder.suffix:
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


def _jobs(
    found: Sequence[Found], folder: Path | None, format: str | None, report: Report
) -> list[Job]:
    """A job for each file.

    Of those that would become one, such as ``a.gif`` beside ``a.png``, all but one that keeps its
    kind get theirs added: ``a_gif.png``.
    """
    wanted = [_output(place, folder, format) for place in found]
    holders: dict[str, list[int]] = {}
    for number, output in enumerate(wanted):
        holders.setdefault(_same(output), []).append(number)
    clashes = [numbers for numbers in holders.values() if len(numbers) > 1]
    if clashes:
        taken = {*holders, *(_same(place.path) for place in found)}
        for numbers in clashes:
            keeper = next((n for n in numbers if _keeps_kind(found[n], wanted[n])), None)
            for number in (n for n in numbers if n != keeper):
                place, before = found[number], wanted[number]
                wanted[number] = _other_name(place, folder, format, taken)
                taken.add(_same(wanted[number]))
                text = f"becomes {shown(wanted[number])}, since another becomes {before.name}"
                report.note(place.path, text)
    return [Job(p.path, o, p.url) for p, o in zip(found, wanted, strict=True)]


def _other_name(place: Found, folder: Path | None, format: str | None, taken: set[str]) -> Path:
    stem = f"{place.relative.stem}_{place.path.suffix[1:]}"
    stems = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    names = (_output(place.with_stem(stem), folder, format) for stem in stems)
    return next(name for name in names if _same(name) not in taken)


def _keeps_kind(place: Found, output: Path) -> bool:
    return place.path.suffix.lower() == output.suffix.lower()


def _same(path: Path) -> str:
    """The same for all names of a file."""
    return os.path.normcase(os.path.realpath(path))


def _output(place: Found, folder: Path | None, format: str | None) -> Path:
    output = place.beside if folder is None else folder / place.relative
    writers, usual = (VIDEO_WRITERS, ".mkv") if is_video(place.path) else (WRITERS, ".png")
    if format is not None and _ending(format) in writers:
        return output.with_suffix(_ending(format))
    return output if output.suffix.lower() in writers else output.with_suffix(usual)


def _ending(format: str) -> str:
    return f".{str(format).lstrip('.').lower()}"  # a number may be typed, too


def _check_format(format: str | None, found: Sequence[Found]) -> None:
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
    inputs = {real_path(job.input) for job in jobs}
    for job in jobs:
        if real_path(job.output) in inputs:
            raise FastTransferError(
                f"the stylized {shown(job.input)} would overwrite {shown(job.output)}, which is an "
                "input; choose another output="
            )
