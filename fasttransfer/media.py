"""Where pictures come from and where they go: sources and sinks.

A source yields (job, picture), a sink takes (job, picture); what a job is, only these two know. A
frame of a video is a picture in this sense: what has ``stylized(stylizer)``. ``open_media`` finds
the pairs that fit the files, so the loop in ``infer`` needs to know no kind of input.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .decode import read_size
from .errors import FastTransferError
from .extras import need
from .images import Picture, read_picture, write_picture
from .large import LargePicture, LargeStylized, TileSettings
from .plan import Job
from .report import Report
from .video import VideoSettings

if TYPE_CHECKING:
    from .stylize import Stylizer

Kind = type[BaseException] | None
Error = BaseException | None
Traceback = TracebackType | None
AnyPicture = Picture | LargePicture

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


def open_media(
    jobs: Sequence[Job],
    bytes_per_pixel: float | None,
    report: Report,
    *,
    overwrite: bool,
    quality: int,
    max_pixels: int,
    size: int | None,
    workers: int,
    tiling: TileSettings,
    video: VideoSettings,
) -> list[tuple[Source[Any], Sink[Any]]]:
    """Sources and their sinks: one pair for all pictures, then one for each video.

    Args:
        jobs: what becomes what, see ``plan``.
        bytes_per_pixel: what stylizing a picture takes of memory; None: it cannot be done in tiles.
        report: is told of failures, notes, skipped and finished pictures.
        overwrite: do outputs again that are there already.
        quality: 1 to 100, of formats that lose something.
        max_pixels: pictures and frames with more are refused.
        size: longer side in pixels that results will have; None is the pictures' own. Larger JPEGs
            are then decoded at a reduced size.
        workers: threads that read, and as many that write; each holds a few pictures at most.
        tiling: which pictures are stylized in tiles, and how.
        video: how videos are encoded.

    Raises:
        FastTransferError: a setting that cannot be used, or a library that is missing.
    """
    for name, value, largest in (
        ("quality", quality, 100),
        ("max_pixels", max_pixels, None),
        ("workers", workers, None),
    ):
        if not isinstance(value, int) or value < 1 or (largest is not None and value > largest):
            upper = f" to {largest}" if largest else " on"
            raise FastTransferError(f"{name}={value} must be a whole number from 1{upper}")
    waiting = [job for job in jobs if overwrite or not job.output.exists()]
    left = set(waiting)
    report.skipped += [job.output for job in jobs if job not in left]
    pictures = [job for job in waiting if not job.is_video]
    videos = [job for job in waiting if job.is_video]
    media: list[tuple[Source[Any], Sink[Any]]] = []
    if pictures:
        most = None if bytes_per_pixel is None else tiling.most_pixels(bytes_per_pixel)
        read = partial(_read, max_pixels=max_pixels, size=size, tiling=tiling, most=most)
        source = PictureSource(pictures, report, read, workers)
        media.append((source, PictureSink(report, quality, workers)))
    if videos:
        need("av", "video", "stylizing a video")
        from .clips import VideoSink, VideoSource

        for job in videos:
            clip = VideoSource(job, report, video, max_pixels)
            media.append((clip, VideoSink(job, report, video)))
    return media


def _read(
    path: Path, max_pixels: int, size: int | None, tiling: TileSettings, most: int | None
) -> Picture | LargePicture:
    """A picture, or the promise of one that has more than ``most`` pixels."""
    if most is not None:
        width, height = read_size(path, max_pixels=max_pixels)
        larger = max(1.0, (size or 0) / max(width, height))  # size= may also enlarge it
        if width * height * larger**2 > most:
            return LargePicture(path, (width, height), size, most, max_pixels, tiling)
    return read_picture(path, max_pixels=max_pixels, min_side=size)


class PictureSource:
    """Reads picture files ahead of the network, ``workers`` + 1 at most; bad ones are reported."""

    def __init__(
        self, jobs: Sequence[Job], report: Report, read: Callable[[Path], AnyPicture], workers: int
    ) -> None:
        self.total: int | None = len(jobs)
        self.title, self.unit = "", "images"
        self._jobs = jobs
        self._report = report
        self._read = read
        self._ahead = workers + 1
        self._pool = ThreadPoolExecutor(workers)

    def __enter__(self) -> "PictureSource":
        return self

    def __exit__(self, kind: Kind, error: Error, traceback: Traceback) -> None:
        self._pool.shutdown(cancel_futures=True)

    def __iter__(self) -> Iterator[tuple[Job, AnyPicture]]:
        jobs = iter(self._jobs)
        reading = deque((job, self._submit(job)) for job in islice(jobs, self._ahead))
        while reading:
            job, future = reading.popleft()
            reading.extend((job, self._submit(job)) for job in islice(jobs, 1))
            try:
                picture = future.result()
            except FastTransferError as error:
                self._report.fail(job.input, error)
                continue
            for note in picture.notes:
                self._report.note(job.input, note)
            yield job, picture

    def drop(self, job: Job) -> None:
        """Nothing: a picture that is here has been read."""

    def _submit(self, job: Job) -> Future[AnyPicture]:
        return self._pool.submit(self._read, job.input)


class PictureSink:
    """Writes picture files behind the network; 2 × ``workers`` pictures wait at most."""

    def __init__(self, report: Report, quality: int, workers: int) -> None:
        self._report = report
        self._quality = quality
        self._writing: deque[Future[None]] = deque()
        self._at_most = 2 * workers
        self._pool = ThreadPoolExecutor(workers)

    def __enter__(self) -> "PictureSink":
        return self

    def __exit__(self, kind: Kind, error: Error, traceback: Traceback) -> None:
        # After an error or Ctrl-C, what is being written is finished and what waits is dropped.
        self._pool.shutdown(cancel_futures=error is not None)
        while error is None and self._writing:
            self._writing.popleft().result()

    def write(self, job: Job, picture: Picture | LargeStylized) -> None:
        """Hands a picture to the writers; waits while too many are waiting. A large one is stylized
        while it is written, so that is done before this returns."""
        if isinstance(picture, LargeStylized):
            picture.write(job.output, self._quality, self._report)
            self._report.done.append(job.output)
            return
        if len(self._writing) >= self._at_most:
            self._writing.popleft().result()  # also brings an unexpected exception to light
        self._writing.append(self._pool.submit(self._write, job, picture))

    def drop(self, job: Job) -> None:
        """Nothing: a picture that was not handed over leaves nothing."""

    def _write(self, job: Job, picture: Picture) -> None:
        try:
            write_picture(job.output, picture.rgb, picture.alpha, self._quality)
        except FastTransferError as error:
            self._report.fail(job.input, error)
        else:
            self._report.done.append(job.output)
