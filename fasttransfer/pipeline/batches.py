"""Files in batches: on many machines by Ray Data (https://docs.ray.io), or from and to stores."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from ..core.errors import FastTransferError
from ..core.files import is_remote, shown
from ..core.libraries import require
from ..core.paths import exists, expand_user
from ..core.progress import Report
from ..core.values import whole_number
from .jobs import Job
from .ray_cluster import joined_cluster
from .runner import Pipeline, stylize_all
from .stores import Staged

if TYPE_CHECKING:
    from ..stylizing.stylizer import Stylizer


# What an actor reports of its files, by the names of a Report.
_REPORTED = ("done", "skipped", "failures", "damages", "notes")
TRIES = 5  # of a batch whose actor dies
BLOCKS = 4  # for each actor at least

OpenMedia = Callable[..., list[Pipeline[Any, Any]]]


@dataclass(frozen=True)
class BatchSettings:
    """How files are divided.

    Args:
        cluster: ``ray``; None: in this process.
        overwrite: replace outputs that exist.
        actors: processes that stylize; None: one for each GPU of the cluster, or as many as find
            ``threads`` cores.
        threads: of each actor.
        batch: files that an actor gets at a time, at most.

    Raises:
        FastTransferError: a setting that cannot be used.
    """

    cluster: str | None
    overwrite: bool
    actors: int | None
    threads: int
    batch: int

    def __post_init__(self) -> None:
        if self.cluster not in ("ray", None):
            raise FastTransferError(f"cluster={self.cluster} must be ray, or null for this process")
        if self.actors is not None:
            whole_number("ray.actors", self.actors, 1)
        whole_number("ray.threads", self.threads, 1)
        whole_number("ray.batch", self.batch, 1)


def stylize_in_batches(
    jobs: Sequence[Job],
    style: str,
    make_stylizer: "Callable[[str], Stylizer]",
    open_media: OpenMedia,
    settings: BatchSettings,
    report: Report,
) -> None:
    """Stylizes files a few at a time.

    In actors of a Ray cluster (that of ``RAY_ADDRESS``, or one of this machine), or in this
    process.

    Every actor reads and writes files under the names they have here, so all machines need the same
    folders, or access to the same store, and fasttransfer. Where an actor dies, its files are given to
    another; what was finished is not done again. Files with which ``TRIES`` actors died have failed.

    Args:
        jobs: what becomes what; files in stores are fetched and put batch by batch.
        style: a name or a file.
        make_stylizer: makes the stylizer in the actor.
        open_media: see ``media.open_media``, with its settings.
        settings: how files are divided.
        report: gets what the actors report.

    Raises:
        FastTransferError: Ray is not installed.
    """
    if not jobs:
        return
    if settings.cluster is None:
        work = _Work(style, make_stylizer, open_media, settings.overwrite, None)
        starts = range(0, len(jobs), settings.batch)
        parts = (jobs[first : first + settings.batch] for first in starts)
        _follow(map(work.done, parts), jobs, "", report)
        return
    if exists(expand_user(style)):  # an actor has another working folder
        style = str(expand_user(style).absolute())
    _stylize_on_cluster(jobs, (style, make_stylizer, open_media), settings, report)


def _stylize_on_cluster(
    jobs: Sequence[Job],
    arguments: tuple[Any, ...],
    settings: BatchSettings,
    report: Report,
) -> None:
    threads = settings.threads
    ray = require("ray", "ray", "cluster=ray")
    require("ray.data", "ray", "cluster=ray")
    with joined_cluster(ray) as resources:
        gpus = int(resources.get("GPU", 0))
        cores = int(resources.get("CPU", threads))  # none yet where nodes come when they are needed
        number = min(settings.actors or gpus or max(1, cores // threads), len(jobs))
        # Several for each actor, so that they end at about the same time.
        blocks = min(len(jobs), max(BLOCKS * number, -(-len(jobs) // settings.batch)))
        items = [
            {"input": _anywhere(job.input), "output": _anywhere(job.output), "url": job.url or ""}
            for job in jobs
        ]
        with warnings.catch_warnings():
            # There is no other way to say how often a batch is tried.
            warnings.filterwarnings("ignore", ".*ray_remote_args_fn")
            dataset = ray.data.from_items(items, override_num_blocks=blocks).map_batches(
                _Work,
                fn_constructor_args=(*arguments, settings.overwrite, threads),
                # Of more than the smallest block, Ray would join some.
                batch_size=len(jobs) // blocks,
                # An actor that dies is started again, and so is its batch.
                ray_remote_args_fn=lambda: {"max_task_retries": TRIES - 1},
                # With one in flight, the first actor that is ready does not take those of the others.
                compute=ray.data.ActorPoolStrategy(size=number, max_tasks_in_flight_per_actor=1),
                num_cpus=min(threads, cores),
                num_gpus=1 if gpus else 0,
            )
        _follow(dataset.iter_rows(), jobs, f"on {number} actor{'s' * (number > 1)}", report)


class _Work:
    """Stylizes batches of files, in an actor or here.

    Args:
        threads: of this process; None leaves them.
    """

    def __init__(
        self,
        style: str,
        make_stylizer: "Callable[[str], Stylizer]",
        open_media: OpenMedia,
        overwrite: bool,
        threads: int | None,
    ) -> None:
        import torch

        if threads is not None:
            torch.set_num_threads(threads)
        self._stylizer = make_stylizer(style)
        self._open = open_media
        self._overwrite = overwrite

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Ray's way of a batch: inputs and outputs; what is reported comes back as a batch of one."""
        places = zip(batch["input"], batch["output"], batch["url"], strict=True)
        jobs = [Job(Path(source), Path(target), url or None) for source, target, url in places]
        try:
            reported = self.done(jobs)
        except Exception as error:  # a fault of ours; Ray would drop the batch
            lost = [f"{shown(job.input)}: {type(error).__name__}: {error}" for job in jobs]
            nothing: dict[str, Any] = {name: [] for name in _REPORTED}
            reported = nothing | {"failures": lost, "frames": 0, "tried": _outputs(jobs)}
        return {name: [value] for name, value in reported.items()}

    def done(self, jobs: Sequence[Job]) -> dict[str, Any]:
        """Does them; returns what is reported of them, as texts."""
        report = Report(console=Console(quiet=True))
        with Staged(jobs, self._overwrite, report) as staged:
            for pipeline in self._open(staged.jobs, self._stylizer, report=report):
                stylize_all(pipeline, report)
                staged.put()
        reported = {
            name: [staged.named(str(line)) for line in getattr(report, name)] for name in _REPORTED
        }
        return reported | {"frames": report.frames, "tried": _outputs(jobs)}


def _outputs(jobs: Sequence[Job]) -> list[str]:
    return [_anywhere(job.output) for job in jobs]


def _anywhere(path: Path) -> str:
    """The file's name as every process understands it."""
    return str(path if is_remote(path) else path.absolute())


def _follow(
    rows: Iterable[dict[str, Any]], jobs: Sequence[Job], title: str, report: Report
) -> None:
    """Adds what the actors report.

    Files of which none reports have ended every process that tried their batch, or were with one
    that did: they are bad files too, and the rest is done.
    """
    left = {_anywhere(job.output): job for job in jobs}
    for _ in report.track(_reported(rows, report, left), len(jobs), title, "images"):
        pass
    for job in left.values():
        ended = FastTransferError(
            f"what stylized it and the others of its batch ended {TRIES} times, perhaps for want of "
            "memory; with ray.batch=1 only the file that causes it fails"
        )
        report.fail(job.input, ended)


def _reported(
    rows: Iterable[dict[str, Any]], report: Report, left: dict[str, Job]
) -> Iterator[str]:
    """Yields each file that did not fail, and takes all that were tried out of ``left``."""
    for row in rows:
        report.failures += row["failures"]
        report.damages += row["damages"]
        for name, paths in (("done", report.done), ("skipped", report.skipped)):
            paths += map(Path, row[name])
        report.frames += row["frames"]
        for note in row["notes"]:
            report.console.print(note, markup=False, soft_wrap=True)
        for output in row["tried"]:
            del left[output]
        yield from (*row["done"], *row["skipped"])
