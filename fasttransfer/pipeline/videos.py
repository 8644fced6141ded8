"""Video files: decoded ahead of the network, stylized frame by frame, and encoded behind it."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import FastTransferError
from ..core.progress import Report
from ..images.masks import Mask
from ..stylizing.steadier import Steadier
from ..video.clip import Clip
from ..video.reader import ClipReader
from ..video.writer import VideoWriter
from .clip_masks import ClipMasks
from .jobs import Job
from .masks import Masks
from .runner import Error, Kind, Traceback, in_one_sentence
from .settings import MediaSettings

if TYPE_CHECKING:
    from ..stylizing.stylizer import Stylizer


@dataclass(frozen=True)
class ClipFrame:
    """A frame of a video: RGB bytes (H, W, 3), when it is shown and how long, both in seconds.

    Where there is a ``mask``, the style gets its weights.
    """

    clip: Clip
    pixels: np.ndarray
    seconds: float
    duration: float
    mask: Mask | None = None


class FrameStylizer:
    """Stylizes the frames of videos, each by itself."""

    def __init__(self, stylizer: "Stylizer") -> None:
        self._stylizer = stylizer

    def __call__(self, frame: ClipFrame) -> ClipFrame:
        """The stylized frame, shown at the same time."""
        return replace(frame, pixels=self._stylizer.frame(frame.pixels, frame.mask))


class SteadyFrameStylizer:
    """Stylizes the frames of videos, one video after the other, so that strokes stay where they are.

    The photo that strength and masks let through, and its colors, are those of each frame.

    Args:
        stylizer: what stylizes.
        steadier: what keeps strokes in place.
    """

    def __init__(self, stylizer: "Stylizer", steadier: Steadier) -> None:
        self._stylizer = stylizer
        self._full = stylizer.at_full_strength
        self._steadier = steadier
        self._clip: Clip | None = None

    def __call__(self, frame: ClipFrame) -> ClipFrame:
        """The stylized frame, shown at the same time."""
        if frame.clip is not self._clip:
            self._steadier.restart()
            self._clip = frame.clip
        of_two = frame.mask if self._full.other is not None else None
        steady = self._steadier(
            frame.pixels, frame.seconds, lambda pixels: self._full.frame(pixels, of_two)
        )
        return replace(frame, pixels=self._stylizer.finish(steady, frame.pixels, frame.mask))


class VideoSource:
    """The frames of a video, decoded ahead of the network by a thread.

    What cannot be read is reported; of a damaged file, all frames that can be had are yielded.
    """

    unit = "frames"

    def __init__(self, job: Job, settings: MediaSettings, masks: Masks, report: Report) -> None:
        self.total: int | None = None
        self._job = job
        self._settings = settings
        self._all_masks = masks
        self._masks: ClipMasks | None = None
        self._report = report
        self._reader: ClipReader | None = None
        self._pool = ThreadPoolExecutor(1)  # libav must be called by one thread at a time
        self._dropped = False

    def __enter__(self) -> "VideoSource":
        try:
            settings = self._settings
            reader = ClipReader(self._job.input, settings.video, settings.max_pixels)
            self._reader = reader
            self._masks = self._all_masks.of_clip(self._job, reader.clip, settings.video)
        except Exception as error:
            self._report.fail(self._job.input, in_one_sentence(self._job, error))
            self.total = 0
        else:
            self.total = reader.clip.total
            if reader.clip.transparent:
                self._report.note(self._job.input, "is transparent; its result is opaque")
        return self

    def __exit__(self, kind: Kind, error: Error, traceback: Traceback) -> None:
        self._pool.shutdown(cancel_futures=True)
        if self._masks is not None:
            self._masks.close()
        if self._reader is not None:
            self._reader.__exit__(kind, error, traceback)

    def __iter__(self) -> Iterator[tuple[Job, ClipFrame]]:
        if self._reader is None or self._masks is None:
            return
        frames = self._decoded(self._reader, self._masks)
        ahead = range(self._settings.video.queue)
        decoding = deque(self._pool.submit(next, frames, None) for _ in ahead)
        while not self._dropped and (decoded := decoding.popleft().result()) is not None:
            decoding.append(self._pool.submit(next, frames, None))
            yield self._job, decoded
        if self._dropped:
            return
        for note in self._masks.notes:
            self._report.note(self._job.input, note)
        if self._reader.damage is not None:
            self._report.damage(self._job.input, self._reader.damage)

    def _decoded(self, reader: ClipReader, masks: ClipMasks) -> Iterator[ClipFrame]:
        for pixels, seconds, duration in reader:
            yield ClipFrame(
                reader.clip, pixels, seconds, duration, masks.following(seconds, pixels)
            )

    def drop(self, job: Job) -> None:
        """The rest is not read."""
        self._dropped = True


class VideoSink:
    """Encodes the frames of one video behind the network."""

    def __init__(self, job: Job, settings: MediaSettings, report: Report) -> None:
        self._job = job
        self._settings = settings.video
        self._report = report
        self._writer: VideoWriter | None = None

    def __enter__(self) -> "VideoSink":
        return self

    def write(self, job: Job, frame: ClipFrame) -> None:
        """Hands a frame to the encoder; waits while too many are waiting."""
        if self._writer is None:
            self._writer = VideoWriter(job.output, self._settings, like=frame.clip)
            self._writer.__enter__()
        self._writer.write(frame.pixels, frame.seconds, frame.duration)

    def drop(self, job: Job) -> None:
        """Removes what has been written."""
        if self._writer is not None:
            error = FastTransferError(f"{job.output} is dropped")
            self._writer.__exit__(type(error), error, None)
            self._writer = None

    def __exit__(self, kind: Kind, error: Error, traceback: Traceback) -> None:
        if self._writer is None:
            return
        try:
            self._writer.__exit__(kind, error, traceback)
        except Exception as failure:
            self._report.fail(self._job.input, in_one_sentence(self._job, failure))
            return
        for note in self._writer.notes:
            self._report.note(self._job.input, note)
        if error is None:
            self._report.done.append(self._job.output)
