"""Cameras, and what can stand in for one, behind one small interface."""

import math
import os
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np

from ..core.assets import BUNDLED_PHOTOS
from ..core.errors import FastTransferError
from ..core.paths import expand_user
from ..images.reading import open_rgb
from .frames import Camera, CameraFrame, shrunk

PATTERN = "pattern"
_SYSTEM = Path("/sys/class/video4linux")


def open_camera(name: str, size: int, rate: float) -> Camera:
    """The camera that a person calls ``name``.

    Args:
        name: ``camera`` or ``camera:`` with a number, ``pattern`` or a video file behind it.
        size: longer side of its frames at most, in pixels.
        rate: frames/s asked of it; a file has its own.

    Raises:
        FastTransferError: it does not exist, or access is denied.
    """
    which = name.partition(":")[2]
    if which == PATTERN:
        return Pattern(size, rate)
    if which == "":
        return Webcam(min(cameras(), default=0), size, rate)
    if which.isdecimal():
        return Webcam(int(which), size, rate)
    from .clip import LoopedFile  # PyAV, which only files need

    return LoopedFile(expand_user(which), size)


def cameras() -> dict[int, str]:
    """Numbers and names of the cameras there seem to be.

    Only Linux lists them without switching them on; elsewhere the first three numbers are offered.
    """
    if sys.platform != "linux":
        return {number: f"camera {number}" for number in range(3)}
    found = {}
    for place in sorted(_SYSTEM.glob("video*")) if _SYSTEM.is_dir() else []:
        # A camera has several nodes; the one with index 0 gives the pictures.
        if place.name[5:].isdecimal() and _text(place / "index") in ("0", ""):
            found[int(place.name[5:])] = _text(place / "name") or place.name
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace").strip()
    except OSError:
        return ""


class Webcam:
    """A camera of this machine, by OpenCV."""

    def __init__(self, number: int, size: int, rate: float) -> None:
        self._number = number
        self._size = size
        problem = _problem(number)
        if problem is not None:
            raise FastTransferError(problem)
        cv2.utils.logging.setLogLevel(
            0
        )  # its warnings, several for every attempt, say less than our sentence
        self._capture = cv2.VideoCapture(number)
        for setting, value in (
            (cv2.CAP_PROP_BUFFERSIZE, 1),  # what waits in a driver is old
            (cv2.CAP_PROP_FRAME_WIDTH, size),
            (cv2.CAP_PROP_FRAME_HEIGHT, size * 3 // 4),
            (cv2.CAP_PROP_FPS, rate),
        ):
            self._capture.set(setting, value)
        if not self._capture.isOpened() or not self._capture.grab():
            self._capture.release()
            raise FastTransferError(
                f"camera {number} gives no picture; connect it, end the program that uses it, or allow "
                "cameras in the system's privacy settings (input=camera:pattern needs none)"
            )

    def read(self) -> CameraFrame:
        """See ``Camera``."""
        if self._capture.grab():
            captured = time.perf_counter()
            there, pixels = self._capture.retrieve()
            if there:
                rgb = cv2.cvtColor(shrunk(pixels, self._size), cv2.COLOR_BGR2RGB)
                return CameraFrame(np.asarray(rgb), captured)
        raise FastTransferError(
            f"camera {self._number} gives no pictures any more; it is tried again every second, so "
            "plug it in again or choose another"
        )

    def close(self) -> None:
        """See ``Camera``."""
        self._capture.release()


def _problem(number: int) -> str | None:
    """Why a camera cannot be used, as far as the system says before it is opened."""
    if sys.platform != "linux":
        return None
    device = Path(f"/dev/video{number}")
    if not device.exists():
        there = ", ".join(f"camera:{n} ({name})" for n, name in cameras().items())
        return (
            f"there is no camera {number}; "
            + (f"there is {there}" if there else "connect one")
            + ", or write input=camera:pattern for a test picture"
        )
    if not os.access(device, os.R_OK | os.W_OK):
        return (
            f"camera {number} cannot be used: permission denied for {device}; "
            "sudo usermod -aG video $USER and a new login give it"
        )
    return None


class Pattern:
    """A moving picture made of bundled photos: pans and zooms that fade into each other."""

    SECONDS = 8.0  # for each photo
    FADE = 1.0  # of them shared with the next one
    ZOOM = 1.25
    PHOTOS = ("chenonceau", "coffee", "machu-picchu", "astronaut", "launch-site")

    def __init__(self, size: int, rate: float) -> None:
        self._width, self._height = size, size * 3 // 4
        paths = [BUNDLED_PHOTOS["bundled-probe"] / f"{name}.jpg" for name in self.PHOTOS]
        self._photos = [np.asarray(open_rgb(path, max_pixels=10**7)) for path in paths]
        self._due = _ticks(1 / rate)
        self._start = time.perf_counter()

    def read(self) -> CameraFrame:
        """See ``Camera``."""
        next(self._due)
        captured = time.perf_counter()
        return CameraFrame(self.at(captured - self._start), captured)

    def at(self, seconds: float) -> np.ndarray:
        """The picture at a time, which follows from that time alone."""
        number, into = divmod(seconds, self.SECONDS)
        picture = self._view(int(number), into)
        left = self.SECONDS - into
        if left >= self.FADE:
            return picture
        share = left / self.FADE
        following = self._view(int(number) + 1, -left)
        return np.asarray(cv2.addWeighted(picture, share, following, 1 - share, 0))

    def _view(self, number: int, seconds: float) -> np.ndarray:
        photo = self._photos[number % len(self._photos)]
        height, width = photo.shape[:2]
        turn = 2 * math.pi * (seconds / self.SECONDS + number / 3)
        fill = max(self._width / width, self._height / height)
        scale = fill * (1 + (self.ZOOM - 1) * (0.5 + 0.5 * math.sin(turn)))
        # The window's middle circles as far from the photo's as the window stays inside it.
        x = width / 2 + (width - self._width / scale) / 2 * math.cos(turn)
        y = height / 2 + (height - self._height / scale) / 2 * math.sin(turn)
        matrix = np.array(
            [[scale, 0, self._width / 2 - scale * x], [0, scale, self._height / 2 - scale * y]]
        )
        shape = (self._width, self._height)
        return np.asarray(cv2.warpAffine(photo, matrix, shape, borderMode=cv2.BORDER_REPLICATE))

    def close(self) -> None:
        """See ``Camera``."""


def _ticks(period: float) -> Iterator[None]:
    """Waits until the next multiple of ``period`` seconds; one that was missed is left out."""
    start = time.perf_counter()
    for _ in cycle((None,)):
        yield
        time.sleep(period - (time.perf_counter() - start) % period)
