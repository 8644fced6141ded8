"""The one loop: source → stylizer → sink, for files, frames, tiles, and volumes alike.

A source yields (job, content), the stylizer of its medium takes content and returns it stylized, and a
sink takes (job, stylized content). None of the three knows the others.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Protocol, TypeVar

from ..core.errors import FastTransferError, brief
from ..core.files import shown
from ..core.progress import Report
from .jobs import Job

Kind = type[BaseException] | None
Error = BaseException | None
Traceback = TracebackType | None

Content = TypeVar("Content")
Stylized = TypeVar("Stylized")
Read = TypeVar("Read", covariant=True)
Written = TypeVar("Written", contravariant=True)


class Source(Protocol[Read]):
    """Pictures, frames, or volumes, one after the other.

    Attributes:
        total: their number, or None if it is not known; final once the ``with`` block is entered.
        unit: what they are: images, frames, or volumes.
    """

    total: int | None
    unit: str

    def __enter__(self) -> "Source[Read]": ...
    def __exit__(self, kind: Kind, error: Error, traceback: Traceback) -> None: ...
    def __iter__(self) -> Iterator[tuple[Job, Read]]: ...
    def drop(self, job: Job) -> None:
        """A job has failed: nothing more of it needs to be read."""


class Sink(Protocol[Written]):
    """Takes what is stylized; leaving the ``with`` block finishes it, or drops the rest on an error."""

    def __enter__(self) -> "Sink[Written]": ...
    def __exit__(self, kind: Kind, error: Error, traceback: Traceback) -> None: ...
    def write(self, job: Job, content: Written) -> None:
        """Takes the result of a job."""

    def drop(self, job: Job) -> None:
        """A job has failed: nothing of it is to be left."""


@dataclass(frozen=True)
class Pipeline(Generic[Content, Stylized]):
    """A source, the stylizer of its medium, a sink, and what the progress line says of them.

    Where everything belongs to one ``job``, such as the frames of a video, it fails if the source does.
    """

    source: Source[Content]
    stylizer: Callable[[Content], Stylized]
    sink: Sink[Stylized]
    title: str
    job: Job | None = None


def stylize_all(pipeline: Pipeline[Content, Stylized], report: Report) -> None:
    """Everything from the source through the stylizer into the sink; failures are reported."""
    try:
        _run(pipeline, report)
    except Exception as error:
        if pipeline.job is None:
            raise
        report.fail(pipeline.job.input, in_one_sentence(pipeline.job, error))


def _run(pipeline: Pipeline[Content, Stylized], report: Report) -> None:
    source, sink = pipeline.source, pipeline.sink
    with source, sink:
        for job, content in report.track(source, source.total, pipeline.title, source.unit):
            try:
                sink.write(job, pipeline.stylizer(content))
            except Exception as error:
                report.fail(job.input, in_one_sentence(job, error))
                sink.drop(job)
                source.drop(job)


def in_one_sentence(job: Job, error: Exception) -> FastTransferError:
    """What is reported of a file that failed, so that the others are done.

    Libraries answer damaged files with nearly every exception there is. Its type is named, and the
    traceback is logged by ``logging.getLogger("fasttransfer")`` at the level DEBUG.
    """
    if isinstance(error, FastTransferError):
        return error
    logging.getLogger("fasttransfer").debug("%s", job.input, exc_info=error)
    return FastTransferError(
        f"{shown(job.input)} cannot be stylized ({type(error).__name__}: {brief(error)})"
    )
