"""The same stylizer on many machines at once, by Ray Data (https://docs.ray.io)."""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from .decode import brief
from .errors import FastTransferError
from .extras import need
from .plan import Job
from .report import Report

if TYPE_CHECKING:
    from .stylize import Stylizer

# What an actor tells of its files, by the names of a Report.
_TOLD = ("done", "skipped", "failures", "damages", "notes")


def stylize_on_ray(
    jobs: Sequence[Job],
    style: str,
    make_stylizer: "Callable[[str], Stylizer]",
    open_media: Callable[..., Any],
    report: Report,
    *,
    actors: int | None,
    threads: int,
    batch: int,
) -> None:
    """Stylizes files in actors of a Ray cluster: that of ``RAY_ADDRESS``, or one of this machine.

    Every actor reads and writes files under the names they have here, so all machines need the same
    folders (and fasttransfer). Where an actor dies, its files are given to another; what was finished is
    not done again.

    Args:
        jobs: what becomes what.
        style: a name or a file.
        make_stylizer: makes the stylizer in the actor.
        open_media: see ``media.open_media``, without the first arguments.
        report: is told what the actors tell.
        actors: how many; None: one for each GPU of the cluster, or as many as find ``threads`` cores.
        threads: of each actor.
        batch: files that an actor is given at a time.

    Raises:
        FastTransferError: Ray is not installed, or a setting cannot be used.
    """
    for name, value in (("actors", actors), ("threads", threads), ("batch", batch)):
        if not (isinstance(value, int) and value > 0) and not (name == "actors" and value is None):
            raise FastTransferError(f"ray.{name}={value} must be a whole number from 1 on")
    if not jobs:
        return
    open_media([], None, report)  # its settings: told here and not by every actor
    ray = need("ray", "ray", "cluster=ray")
    need("ray.data", "ray", "cluster=ray")
    if Path(style).expanduser().exists():  # an actor has another working folder
        style = str(Path(style).expanduser().absolute())
    with _cluster(ray) as resources:
        gpus = int(resources.get("GPU", 0))
        room = gpus or max(1, int(resources["CPU"]) // threads)
        number = min(actors or room, -(-len(jobs) // batch))
        dataset = ray.data.from_items(
            [
                {name: str(getattr(job, name).absolute()) for name in ("input", "output")}
                for job in jobs
            ],
            override_num_blocks=-(-len(jobs) // batch),
        ).map_batches(
            _Actor,
            fn_constructor_args=(style, make_stylizer, open_media, threads),
            batch_size=batch,
            # An actor that dies is started again, and so is its batch, as often as it takes.
            compute=ray.data.ActorPoolStrategy(size=number),
            num_cpus=min(threads, int(resources["CPU"])),
            num_gpus=1 if gpus else 0,
        )
        rows = _told(dataset.iter_rows(), report)
        for _ in report.track(rows, len(jobs), f"on {number} actors", "images"):
            pass


class _Actor:
    """Stylizes batches of files in a process of its own."""

    def __init__(
        self,
        style: str,
        make_stylizer: "Callable[[str], Stylizer]",
        open_media: Callable[..., Any],
        threads: int,
    ) -> None:
        import torch

        torch.set_num_threads(threads)
        self._stylizer = make_stylizer(style)
        self._open = open_media

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        from .infer import stylize_all

        report = Report(console=Console(quiet=True))
        places = zip(batch["input"], batch["output"], strict=True)
        jobs = [Job(Path(source), Path(target)) for source, target in places]
        for source, sink in self._open(jobs, self._stylizer.bytes_per_pixel, report):
            stylize_all(source, self._stylizer, sink, report)
        told = {name: [[str(line) for line in getattr(report, name)]] for name in _TOLD}
        return told | {"frames": [report.frames]}


def _told(rows: Iterator[dict[str, Any]], report: Report) -> Iterator[str]:
    """Adds what the actors tell to ``report``; yields each file that did not fail."""
    for row in rows:
        report.failures += row["failures"]
        report.damages += row["damages"]
        for name, paths in (("done", report.done), ("skipped", report.skipped)):
            paths += map(Path, row[name])
        report.frames += row["frames"]
        for note in row["notes"]:
            report.console.print(note, markup=False, soft_wrap=True)
        yield from (*row["done"], *row["skipped"])


@contextlib.contextmanager
def _cluster(ray: Any) -> Iterator[dict[str, float]]:
    """Joins the cluster, or starts one for as long as the block takes; yields its resources."""
    own = not ray.is_initialized()
    for name in ("ray", "ray.data"):  # what it tells of its plans is not for the person
        logging.getLogger(name).setLevel(logging.ERROR)
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    if own:
        try:
            ray.init(log_to_driver=False, logging_level="ERROR", include_dashboard=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            where = os.environ.get("RAY_ADDRESS", "this machine")
            raise FastTransferError(
                f"Ray cannot be reached at {where} ({brief(error)}); set RAY_ADDRESS to a cluster that "
                "runs, or leave it out"
            ) from error
    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        yield ray.cluster_resources()
    finally:
        if own:
            ray.shutdown()
