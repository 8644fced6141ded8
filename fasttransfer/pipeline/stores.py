"""Files in object stores and at URLs, by fsspec (https://filesystem-spec.readthedocs.io).

Pillow, FFmpeg and libvips read files of this machine. So what lies elsewhere is fetched for a batch of
jobs, and what was made of it is put back; in between, no code needs to know. In a ``Path``,
``s3://bucket/a.jpg`` becomes ``s3:/bucket/a.jpg``; nothing else distinguishes such a file.
"""

import glob
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..core.errors import FastTransferError, brief
from ..core.files import is_remote, shown
from ..core.libraries import require
from ..core.paths import exists
from ..core.progress import Report
from ..core.scratch import scratch_folder

if TYPE_CHECKING:
    from .jobs import Job


THREADS = 8  # files on their way at once: small ones mostly wait


def files_at(name: str) -> list[str]:
    """The names of all files below a folder in a store, or that match a pattern, in their order.

    They begin as ``name`` does.

    Raises:
        FastTransferError: the store cannot be read, or a library for it is missing.
    """
    system, place = _opened(name)
    root, pattern = name.rstrip("/"), is_pattern(name)
    while is_pattern(root):
        root = root.rpartition("/")[0]
    inside = len(_opened(root)[1].rstrip("/"))  # drivers have names of their own for what they hold
    try:
        found = (system.glob if pattern else system.find)(place)
        return sorted(root + there[inside:] for there in found)
    except Exception as error:  # each kind of store has its own
        raise FastTransferError(f"{name} cannot be read ({brief(error)})") from error


def is_pattern(name: str) -> bool:
    """Whether a URL stands for all files whose names match it, and not for one with an odd name."""
    if name.startswith(("http://", "https://")) or not glob.has_magic(name):
        return False
    system, place = _opened(name)
    try:
        return not system.exists(place)
    except Exception as error:  # each kind of store has its own
        raise FastTransferError(f"{name} cannot be reached ({brief(error)})") from error


class Staged:
    """Jobs whose files lie in stores, as jobs of this machine.

    On entering, inputs are fetched; ``put`` takes the finished outputs to where they belong, and so does
    leaving, also after an error or Ctrl-C, which then removes all that was here.

    Args:
        jobs: any of their files may be local too.
        overwrite: do outputs again that are there already.
        report: gets what cannot be fetched or put, and what is skipped.

    Attributes:
        jobs: what is left to do, under names of this machine.
    """

    def __init__(self, jobs: "Sequence[Job]", overwrite: bool, report: Report) -> None:
        self.jobs: list[Job] = []
        self._all = jobs
        self._overwrite = overwrite
        self._report = report
        self._whose: dict[Job, Job] = {}  # by those of this machine
        self._put: set[Job] = set()  # of those
        self._cleanup = ExitStack()

    def __enter__(self) -> "Staged":
        self._folder = self._cleanup.enter_context(scratch_folder())
        try:
            with ThreadPoolExecutor(THREADS) as pool:
                staged = list(pool.map(self._fetch, range(len(self._all)), self._all))
        except BaseException:
            self._cleanup.close()
            raise
        self._whose = {here: job for here, job in zip(staged, self._all, strict=True) if here}
        self.jobs = list(self._whose)
        return self

    def __exit__(self, kind: object, error: object, traceback: TracebackType | None) -> None:
        try:
            self.put()
        finally:
            self._cleanup.close()

    def put(self) -> None:
        """Takes the outputs that are done by now to where they belong.

        What cannot be put is a failure, and no longer done.
        """
        done = set(self._report.done)
        ready = [here for here in self._whose if here.output in done and here not in self._put]
        self._put.update(ready)
        with ThreadPoolExecutor(THREADS) as pool:
            there = list(pool.map(self._is_there, ready))
        lost = {here.output for here, is_there in zip(ready, there, strict=True) if not is_there}
        self._report.done[:] = [path for path in self._report.done if path not in lost]

    def named(self, text: str) -> str:
        """``text`` with the names that people know."""
        for here, job in self._whose.items():
            for name in ("output", "input"):
                text = text.replace(str(getattr(here, name)), shown(getattr(job, name)))
        return text

    def _fetch(self, number: int, job: "Job") -> "Job | None":
        """The job as one of this machine; None if there is nothing to do, or nothing can be done."""
        place = self._folder / str(number)
        here = replace(
            job,
            input=place / "in" / job.input.name if is_remote(job.input) else job.input,
            output=place / "out" / job.output.name if is_remote(job.output) else job.output,
        )
        try:
            if not self._overwrite and self._exists(job.output):
                self._report.skipped.append(job.output)
                return None
            if is_remote(job.input):
                here.input.parent.mkdir(parents=True)
                name = job.url or shown(job.input)
                _done("get_file", name, lambda there: (there, str(here.input)))
        except FastTransferError as error:
            self._report.fail(job.input, error)
            return None
        return here

    def _exists(self, path: Path) -> bool:
        return bool(_done("exists", shown(path))) if is_remote(path) else exists(path)

    def _is_there(self, here: "Job") -> bool:
        """Whether a finished output is where it belongs."""
        target = self._whose[here].output
        if is_remote(target):
            try:
                _done("put_file", shown(target), lambda there: (str(here.output), there))
            except FastTransferError as error:
                self._report.fail(here.input, error)
                return False
        return True


def _done(
    verb: str, name: str, places: Callable[[str], tuple[str, ...]] = lambda there: (there,)
) -> Any:
    """What a store does with a file."""
    system, there = _opened(name)
    try:
        return getattr(system, verb)(*places(there))
    except Exception as error:  # each kind of store has its own
        raise FastTransferError(f"{name} cannot be reached ({brief(error)})") from error


def _opened(name: str) -> tuple[Any, str]:
    """The store of a URL and the file's name there."""
    fsspec = require("fsspec.core", "stores", name)
    try:
        system, place = fsspec.url_to_fs(name)
    except ImportError as error:
        raise FastTransferError(
            f"{name} requires one more library ({brief(error)}); that for S3 comes with "
            'python -m pip install "fasttransfer[stores]"'
        ) from error
    except Exception as error:
        raise FastTransferError(f"{name} cannot be reached ({brief(error)})") from error
    return system, place
