"""A video file as a camera: over and over, at its own rate."""

import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from ..errors import FastTransferError
from .camera import Frame, shrunk

BEHIND = 0.5  # seconds; a file that is decoded more slowly than that plays more slowly
SHORTEST = 1 / 120  # seconds that a round takes at least: a file may hold a single frame


class Clip:
    """A looped video file. It is opened anew each time, so it may be exchanged meanwhile."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size
        self._frames = self._loop()
        self._next = next(self._frames)  # a file that is none is told at once
        self._start = time.perf_counter()

    def read(self) -> Frame:
        """See ``Camera``."""
        seconds, pixels = self._next
        late = time.perf_counter() - (self._start + seconds)
        if late < 0:
            time.sleep(-late)
        elif late > BEHIND:
            self._start += late
        frame = Frame(pixels, time.perf_counter())
        self._next = next(self._frames)
        return frame

    def close(self) -> None:
        """See ``Camera``."""
        self._frames.close()  # type: ignore[attr-defined]

    def _loop(self) -> Iterator[tuple[float, np.ndarray]]:
        """Seconds since the first frame of the first round, and RGB bytes (H, W, 3)."""
        begun = latest = 0.0
        while True:
            times: list[float] = []
            for seconds, pixels in self._round():
                times.append(seconds)
                latest = max(latest, begun + seconds - times[0])
                yield latest, pixels
            if not times:
                raise FastTransferError(f"{self._path} has no pictures; choose another video")
            # The last frame of a round lasts as long as the others on average.
            begun = latest + max(SHORTEST, (latest - begun) / max(1, len(times) - 1))

    def _round(self) -> Iterator[tuple[float, np.ndarray]]:
        try:
            with av.open(str(self._path)) as container:
                container.streams.video[0].thread_type = "AUTO"
                for number, frame in enumerate(container.decode(video=0)):
                    pixels = frame.to_ndarray(format="rgb24")
                    upright = np.rot90(pixels, round(frame.rotation / 90) % 4)
                    seconds = frame.time if frame.time is not None else number / 25
                    yield seconds, np.ascontiguousarray(shrunk(upright, self._size))
        except (av.FFmpegError, OSError, IndexError) as error:
            why = "it has no pictures" if isinstance(error, IndexError) else error.strerror
            raise FastTransferError(
                f"input=camera:{self._path} is no video that can be read ({why}); write a number, "
                "pattern or a video file behind camera:"
            ) from error
