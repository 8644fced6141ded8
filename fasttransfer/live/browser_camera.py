"""The camera of a browser that shows the page, as a camera of the session."""

import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from ..core.errors import FastTransferError
from ..images.decoding import InMemory
from ..images.reading import open_rgb
from .frames import CameraFrame, shrunk
from .newest import Newest

BROWSER = "browser"  # as the name of a camera, behind the colon
PATIENCE = 0.5  # seconds that a read waits
_HEAD = struct.Struct("<d")  # when it was taken, in milliseconds since 1970 by the browser's clock
_JPEG = b"\xff\xd8\xff"


class BrowserCamera:
    """Takes frames that a browser sends. One browser has the place; the next one takes it over.

    Args:
        size: longer side of a frame in pixels. The page shrinks its frames to that, so no frame may
            have more than its square.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._frames: Newest[CameraFrame] = Newest()
        self._lock = threading.Lock()
        self._sender: object | None = None

    @property
    def is_sending(self) -> bool:
        """Whether a browser has the place."""
        return self._sender is not None

    @contextmanager
    def place_of(self, sender: object) -> Iterator[None]:
        """Gives the one place to ``sender`` until the block ends, or another one takes it."""
        with self._lock:
            self._sender = sender
        try:
            yield
        finally:
            with self._lock:
                if self._sender is sender:
                    self._sender = None

    def has_place(self, sender: object) -> bool:
        """Whether nobody has taken the place over."""
        return self._sender is sender

    def put(self, message: bytes) -> bool:
        """Takes a message of a browser, 8 bytes of time and a JPEG; True if it replaces a frame.

        Raises:
            FastTransferError: it is none, is damaged, or is too large.
        """
        captured = time.perf_counter()
        picture = message[_HEAD.size :]
        if not picture.startswith(_JPEG):  # what ``images`` can read is more, and slower
            raise FastTransferError("a frame of the browser's camera must be a JPEG")
        (taken,) = _HEAD.unpack_from(message)
        file = InMemory("a frame of the browser's camera", picture)
        pixels = np.array(open_rgb(file, max_pixels=self._size**2))
        return self._frames.put(CameraFrame(shrunk(pixels, self._size), captured, taken))

    def read(self) -> CameraFrame | None:
        """See ``Camera``."""
        return self._frames.take(PATIENCE)

    def close(self) -> None:
        """See ``Camera``; what was not taken is dropped."""
        self._frames.take(0)
