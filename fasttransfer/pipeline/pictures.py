"""Picture files: read ahead of the network, stylized, and written behind it."""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from ..core.progress import Report
from ..images.decoding import read_metadata, read_size
from ..images.metadata import NO_METADATA
from ..images.reading import Picture, read_picture
from ..images.sizes import fitted
from ..images.writing import write_picture
from ..large.stylizer import LargePicture, LargeResult, LargeStylizer, write_large
from .jobs import Job
from .masks import Masks
from .runner import Error, Kind, Traceback, in_one_sentence
from .settings import MediaSettings

if TYPE_CHECKING:
    from ..stylizing.stylizer import Stylizer


class PictureSource:
    """Reads picture files ahead of the network, ``workers`` + 1 at most; bad ones are reported.

    Args:
        jobs: the files.
        settings: how they are read.
        masks: gives each its mask.
        most: pixels up to which a picture is read as a whole; of a larger one only the header. None:
            all are read.
        report: gets failures and notes.
    """

    unit = "images"

    def __init__(
        self,
        jobs: Sequence[Job],
        settings: MediaSettings,
        masks: Masks,
        most: int | None,
        report: Report,
    ) -> None:
        self.total: int | None = len(jobs)
        self._jobs = jobs
        self._settings = settings
        self._masks = masks
        self._most = most
        self._report = report
        self._pool = ThreadPoolExecutor(settings.workers)

    def __enter__(self) -> "PictureSource":
        return self

    def __exit__(self, kind: Kind, error: Error, traceback: Traceback) -> None:
        self._pool.shutdown(cancel_futures=True)

    def __iter__(self) -> Iterator[tuple[Job, Picture | LargePicture]]:
        jobs = iter(self._jobs)
        ahead = islice(jobs, self._settings.workers + 1)
        reading = deque((job, self._pool.submit(self._read, job)) for job in ahead)
        while reading:
            job, future = reading.popleft()
            reading.extend((job, self._pool.submit(self._read, job)) for job in islice(jobs, 1))
            try:
                picture = future.result()
            except Exception as error:
                self._report.fail(job.input, in_one_sentence(job, error))
                continue
            for note in picture.notes:
                self._report.note(job.input, note)
            yield job, picture

    def drop(self, job: Job) -> None:
        """Nothing: a picture that is here has been read."""

    def _read(self, job: Job) -> Picture | LargePicture:
        longer, max_pixels = self._settings.size, self._settings.max_pixels
        damaged_up_to = self._settings.damaged_up_to
        if self._most is not None:
            size = read_size(job.input, max_pixels=max_pixels)
            made = size if longer is None else fitted(size, max(longer, *size))  # may enlarge it
            if math.prod(made) > self._most:
                large = LargePicture(
                    job.input, job.output, size, longer, self._most, max_pixels, damaged_up_to
                )
                make_mask, key = self._masks.of_large(job)
                return replace(large, mask=make_mask, mask_key=key)
        picture = read_picture(
            job.input, max_pixels=max_pixels, min_side=longer, damaged_up_to=damaged_up_to
        )
        mask, notes = self._masks.of_picture(job, picture)
        return replace(picture, mask=mask, notes=(*picture.notes, *notes))


class PictureStylizer:
    """Stylizes pictures: those in memory as a whole, others in tiles on disk."""

    def __init__(self, stylizer: "Stylizer", large: LargeStylizer) -> None:
        self._stylizer = stylizer
        self._large = large

    def __call__(self, picture: Picture | LargePicture) -> Picture | LargeResult:
        """The stylized picture, in memory or on disk as the picture was."""
        if isinstance(picture, LargePicture):
            return self._large(picture)
        return picture.with_rgb(self._stylizer(picture.rgb, picture.mask))


class PictureSink:
    """Writes picture files behind the network; 2 × ``workers`` pictures wait at most."""

    def __init__(self, settings: MediaSettings, report: Report) -> None:
        self._settings = settings
        self._report = report
        self._writing: deque[Future[None]] = deque()
        self._at_most = 2 * settings.workers
        self._pool = ThreadPoolExecutor(settings.workers)

    def __enter__(self) -> "PictureSink":
        return self

    def __exit__(self, kind: Kind, error: Error, traceback: Traceback) -> None:
        # After an error or Ctrl-C, what is being written is finished and what waits is dropped.
        self._pool.shutdown(cancel_futures=error is not None)

    def write(self, job: Job, picture: Picture | LargeResult) -> None:
        """Hands a picture to the writers; waits while too many are waiting."""
        if len(self._writing) >= self._at_most:
            self._writing.popleft().result()
        self._writing.append(self._pool.submit(self._write, job, picture))

    def drop(self, job: Job) -> None:
        """Nothing: a picture that was not handed over leaves nothing."""

    def _write(self, job: Job, picture: Picture | LargeResult) -> None:
        quality, keep = self._settings.quality, self._settings.metadata == "keep"
        try:
            if isinstance(picture, LargeResult):
                metadata = read_metadata(job.input) if keep else NO_METADATA
                write_large(job.output, picture, quality, metadata)
            else:
                metadata = picture.metadata if keep else NO_METADATA
                write_picture(job.output, picture.rgb, picture.alpha, quality, metadata)
        except Exception as error:
            self._report.fail(job.input, in_one_sentence(job, error))
        else:
            self._report.done.append(job.output)
            if picture.damage is not None:
                self._report.damage(job.input, picture.damage)
