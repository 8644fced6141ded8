"""A video file as a camera: over and over, at its own rate."""

import time
from collections.abc import Generator, Iterator
from itertools import chain
from pathlib import Path

import av
import numpy as np

from ..video.reader import ClipReader
from ..video.settings import VideoSettings
from .frames import CameraFrame, shrunk

MAX_PIXELS = 50_000_000  # more than any camera has
_READING = VideoSettings(
    codec="auto", crf=0, preset="auto", threads=0, queue=1
)  # only threads count
BEHIND = 0.5  # seconds; a file that is decoded more slowly than that plays more slowly
SHORTEST = 1 / 120  # seconds that a round takes at least: a file may hold a single frame


class LoopedFile:
    """A looped video file. It is opened again for each loop, so it may be replaced meanwhile."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size
        self._rounds = self._loop()
        first = next(self._rounds)  # what is no video raises at once
        self._frames = chain((first,), self._rounds)
        self._start = time.perf_counter()

    def read(self) -> CameraFrame:
        """See ``Camera``."""
        seconds, pixels = next(self._frames)
        late = time.perf_counter() - (self._start + seconds)
        if late < 0:
            time.sleep(-late)
        elif late > BEHIND:
            self._start += late
        return CameraFrame(pixels, time.perf_counter())

    def close(self) -> None:
        """See ``Camera``."""
        self._rounds.close()

    def _loop(self) -> Generator[tuple[float, np.ndarray], None, None]:
        """Seconds since the first frame of the first round, and RGB bytes (H, W, 3)."""
        begun = latest = 0.0
        while True:
            times: list[float] = []
            for seconds, pixels in self._round():
                times.append(seconds)
                latest = max(latest, begun + seconds - times[0])
                yield latest, pixels
            # The last frame of a round lasts as long as the others on average.
            begun = latest + max(SHORTEST, (latest - begun) / max(1, len(times) - 1))

    def _round(self) -> Iterator[tuple[float, np.ndarray]]:
        with ClipReader(self._path, _READING, MAX_PIXELS) as reader:
            turns = _quarter_turns(reader.clip.sample)
            for pixels, seconds, _ in reader:
                upright = np.rot90(pixels, turns)
                yield seconds, np.ascontiguousarray(shrunk(upright, self._size))


def _quarter_turns(frame: av.VideoFrame) -> int:
    """How often a player turns the picture by 90° against the clock."""
    return round(frame.rotation / 90) % 4
