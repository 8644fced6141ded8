"""Volumes as a source and a sink, see ``pipeline.runner``, and which volume becomes which."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import FastTransferError, brief
from ..core.paths import exists, expand_user, is_folder, real_path
from ..core.progress import Report
from ..images.folders import Unread
from ..models.style_file import safe_name
from ..pipeline.finding import is_glob, matching
from ..pipeline.jobs import Job
from ..pipeline.planning import in_shard
from ..pipeline.runner import Error, Kind, Pipeline, Traceback, in_one_sentence
from .files import Volume, endings, open_volume
from .settings import VolumeSettings
from .stylizing import StylizedVolume, VolumeStylizer

if TYPE_CHECKING:
    from ..stylizing.stylizer import Stylizer


def open_volumes(
    jobs: Sequence[Job], stylizer: "Stylizer", settings: VolumeSettings, report: Report
) -> Pipeline[Volume, StylizedVolume]:
    """The way from volumes to volumes.

    Args:
        jobs: what becomes what, see ``plan_volumes``.
        stylizer: what is done to the cuts.
        settings: how volumes are read and stylized.
        report: gets failures, notes, and skipped and finished volumes.

    Raises:
        FastTransferError: a stylizer that changes the size.
    """
    if stylizer.settings.size is not None:
        raise FastTransferError(
            "size= does not go with task=volume; make the slices as large before"
        )
    waiting = [job for job in jobs if settings.overwrite or not exists(job.output)]
    left = set(waiting)
    report.skipped += [job.output for job in jobs if job not in left]
    source = VolumeSource(waiting, settings.max_pixels, report)
    on_volumes = VolumeStylizer(stylizer, settings.tiling, report)
    return Pipeline(source, on_volumes, VolumeSink(report), stylizer.name)


def plan_volumes(
    inputs: Sequence[str],
    output: str | None,
    styles: Sequence[str],
    shard: str | None,
    unread: Unread | None = None,
) -> list[list[Job]]:
    """Which volume becomes which, for each style.

    Args:
        inputs: files or folders, see ``files.Volume``, or patterns of such.
        output: a path of the same kind, if there is one input and one style; None puts the results
            beside the inputs, named after the style.
        styles: their names.
        shard: ``i/n`` does only the i-th of n parts of the inputs; None does all.
        unread: is called for each folder that cannot be searched for a pattern; None raises the
            error instead.

    Raises:
        FastTransferError: no inputs, or ``output`` for several results.
    """
    paths = _named(inputs, unread)
    if output is not None and len(paths) * len(styles) > 1:
        raise FastTransferError(
            f"output={output} is one volume and there would be {len(paths) * len(styles)}; leave "
            "it out, and they will be beside the inputs"
        )
    if shard is not None:
        chosen = in_shard(shard)
        paths = [path for path in paths if chosen(Path(path.name))]
    return [
        [Job(path, expand_user(output) if output else _beside(path, style)) for path in paths]
        for style in styles
    ]


class VolumeSource:
    """Opens volumes, one after the other; bad ones are reported."""

    unit = "volumes"

    def __init__(self, jobs: Sequence[Job], max_pixels: int, report: Report) -> None:
        self.total: int | None = len(jobs)
        self._jobs = jobs
        self._max_pixels = max_pixels
        self._report = report

    def __enter__(self) -> "VolumeSource":
        return self

    def __exit__(self, kind: Kind, error: Error, traceback: Traceback) -> None:
        """Nothing is open between two volumes."""

    def __iter__(self) -> Iterator[tuple[Job, Volume]]:
        for job in self._jobs:
            try:
                volume = open_volume(job.input, self._max_pixels)
                _check_target(job)
            except Exception as error:
                self._report.fail(job.input, in_one_sentence(job, error))
            else:
                yield job, replace(volume, scratch=job.output.parent)

    def drop(self, job: Job) -> None:
        """Nothing: a volume that failed has been closed."""


class VolumeSink:
    """Writes volumes."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def __enter__(self) -> "VolumeSink":
        return self

    def __exit__(self, kind: Kind, error: Error, traceback: Traceback) -> None:
        """Each volume was finished when it was written."""

    def write(self, job: Job, volume: StylizedVolume) -> None:
        """Writes a volume, whole or not at all.

        Raises:
            FastTransferError: it cannot be written.
        """
        with volume:
            try:
                volume.volume.save(job.output, volume.slices())
            except OSError as error:
                raise FastTransferError(
                    f"{job.output} cannot be written ({error.strerror or brief(error)})"
                ) from error
        self._report.done.append(job.output)

    def drop(self, job: Job) -> None:
        """Nothing: a volume that was not written leaves nothing."""


def _named(inputs: Sequence[str], unread: Unread | None) -> list[Path]:
    """What was typed, without ~ and patterns, each once."""
    found: list[str] = []
    for name in map(os.path.expanduser, inputs):
        some = [name]
        if is_glob(name):
            some = [str(path) for path in matching(name, unread)]
            if not some:
                raise FastTransferError(f"input={name} stands for nothing that exists")
        found += some
    if not found or "" in found:
        raise FastTransferError(
            "input= is missing; with task=volume write input=scan.nii.gz, input=stack.tif or "
            "input=slices/"
        )
    return list({Path(name).absolute(): Path(name) for name in found}.values())


def _beside(path: Path, style: str) -> Path:
    ending = "" if is_folder(path) else "".join(endings(path))
    path = real_path(path) if path.name in ("", "..") else path  # the folder that “.” stands for
    stem = path.name[: len(path.name) - len(ending)]
    if not stem:
        raise FastTransferError(f"input={path} is a whole drive; name a folder below it")
    return path.with_name(f"{stem}-{safe_name(style)}{ending}")


def _check_target(job: Job) -> None:
    """A file becomes a file of its kind, a folder a folder."""
    wanted = [] if is_folder(job.input) else endings(job.input)
    if [e.lower() for e in endings(job.output)] != [e.lower() for e in wanted]:
        kind = "".join(wanted) or "a folder"
        raise FastTransferError(
            f"{job.input} becomes {kind}; write such an output=, not {job.output}"
        )
    source, place = real_path(job.input), real_path(job.output)
    if source == place or source in place.parents or place in source.parents:
        raise FastTransferError(f"{job.output} is the input, or holds it; choose another output=")
