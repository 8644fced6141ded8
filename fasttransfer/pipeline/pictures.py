"""Picture files as a source and a sink: read ahead of the network, written behind it."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from ..core.errors import FastTransferError
from ..core.progress import Report
from ..images.decoding import read_size
from ..images.reading import Picture, read_picture
from ..images.writing import write_picture
from ..large.settings import TileSettings
from ..large.stylizer import LargePicture, LargeStylized
from .jobs import Job
from .runner import Error, Kind, Traceback

AnyPicture = Picture | LargePicture


def read_any(
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
