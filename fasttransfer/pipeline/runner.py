"""The one loop: source → stylizer → sink, and what a source and a sink are.

A source yields (job, picture), a sink takes (job, picture). A frame of a video is a picture in this
sense: what has ``stylized(stylizer)``.
"""

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TypeVar

from ..core.errors import FastTransferError
from ..core.progress import Report
from .jobs import Job

if TYPE_CHECKING:  # torch is loaded when the first object is built, so --help answers at once
    from ..stylizing.stylizer import Stylizer


Kind = type[BaseException] | None
Error = BaseException | None
Traceback = TracebackType | None

Content = TypeVar("Content", bound="Stylizable")


class Stylizable(Protocol):
    """A picture or a frame."""

    def stylized(self: Content, stylizer: "Stylizer") -> Content: ...


class Source(Protocol[Content]):
    """Pictures one after the other.

    Attributes:
        total: their number, or None if nobody knows it; settled once the ``with`` block is entered.
        title: what the progress line says of them, or nothing.
        unit: what they are: images or frames.
    """

    total: int | None
    title: str
    unit: str

    def __enter__(self) -> "Source[Content]": ...
    def __exit__(self, kind: Kind, error: Error, traceback: Traceback) -> None: ...
    def __iter__(self) -> Iterator[tuple[Job, Content]]: ...
    def drop(self, job: Job) -> None:
        """A job has failed: nothing more of it needs to be read."""


class Sink(Protocol[Content]):
    """Takes pictures; leaving the ``with`` block finishes them, or drops the rest on an error."""

    def __enter__(self) -> "Sink[Content]": ...
    def __exit__(self, kind: Kind, error: Error, traceback: Traceback) -> None: ...
    def write(self, job: Job, picture: Content) -> None: ...
    def drop(self, job: Job) -> None:
        """A job has failed: nothing of it is to be left."""


def stylize_all(
    source: "Source[Content]", stylizer: "Stylizer", sink: "Sink[Content]", report: Report
) -> None:
    """Every picture of ``source`` through ``stylizer`` into ``sink``; failures are reported."""
    with source, sink:
        title = f"{stylizer.name} {source.title}".strip()
        for job, picture in report.track(source, source.total, title, source.unit):
            try:
                sink.write(job, picture.stylized(stylizer))
            except FastTransferError as error:
                report.fail(job.input, error)
                sink.drop(job)
                source.drop(job)
