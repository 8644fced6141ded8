"""How much a client may ask for: requests, bytes of a request, and bytes on the disk."""

import threading
import time
from collections import OrderedDict, deque

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from ..core.errors import FastTransferError

MAX_BODY = 16 * 1024  # bytes of a request; the page's own are below 200
MAX_PHOTO = 100 * 1024 * 1024  # bytes of a photo: raw files of large cameras are nearly as large
PHOTO = "/photo"  # the one path where a request may be large
MAX_FRAME = 2 * 1024 * 1024  # bytes of a frame of a browser's camera
FRAMES_WAITING = 4  # that the server reads ahead of the session
REQUESTS_PER_SECOND = 100  # on one connection; a slider that is dragged sends up to 60
REQUESTS_AT_ONCE = 200
CLIENTS_KNOWN = 1024  # whose rates are kept
FILES_PER_MINUTE = 60
BYTES_PER_MINUTE = 1_000_000_000


class OverQuotaError(FastTransferError):
    """More files or bytes than a session may save."""


class RequestRates:
    """How many requests a client sends: buckets that fill at a constant rate.

    Each connection has one for the requests that are accepted, and each address one for those that
    are refused. So others at the same address take nothing from a page.
    """

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[str, int], tuple[float, float]] = OrderedDict()

    def allows(self, host: str, port: int, accepted: bool) -> bool:
        """Counts a request of a client's address and port; whether there is room for it."""
        key, now = (host, port if accepted else -1), time.monotonic()
        left, then = self._buckets.pop(key, (float(REQUESTS_AT_ONCE), now))
        left = min(REQUESTS_AT_ONCE, left + (now - then) * REQUESTS_PER_SECOND)
        self._buckets[key] = max(0.0, left - 1), now
        if len(self._buckets) > CLIENTS_KNOWN:
            self._buckets.popitem(last=False)
        return left >= 1


def most_bytes(path: str) -> int:
    """How many bytes a request for a path may have."""
    return MAX_PHOTO if path == PHOTO else MAX_BODY


def too_large(most: int) -> str:
    """The sentence for a request of more than ``most`` bytes."""
    return f"a request may have {most} bytes at most"


def is_too_large(headers: Headers, most: int) -> bool:
    """Whether a request announces more than ``most`` bytes."""
    announced = headers.get("content-length", "0")
    return not announced.isdecimal() or len(announced) > 18 or int(announced) > most


def limited_body(receive: Receive, most: int) -> Receive:
    """``receive`` for a request of which ``most`` bytes are read at most.

    Raises:
        HTTPException: 413, while more is read.
    """
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise HTTPException(413, too_large(most))
        return message

    return limited


class Quota:
    """What a session saves: files and bytes in a minute, and bytes in all.

    Args:
        most: bytes in all.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._bytes = 0
        self._lately: deque[tuple[float, int, int]] = deque()  # time, files, bytes

    def add(self, files: int, count: int) -> None:
        """Counts files and bytes that are about to be written.

        Raises:
            OverQuotaError: they are too many; nothing is counted then.
        """
        with self._lock:
            now = time.monotonic()
            while self._lately and self._lately[0][0] < now - 60:
                self._lately.popleft()
            if self._bytes + count > self._most:
                raise OverQuotaError(
                    f"this session has saved {self._bytes / 1e6:.0f} MB and may not save more; "
                    f"start it again, or set live.max_saved= to more than {self._most} bytes"
                )
            if sum(entry[1] for entry in self._lately) + files > FILES_PER_MINUTE:
                raise OverQuotaError(f"more than {FILES_PER_MINUTE} files a minute are not saved")
            if sum(entry[2] for entry in self._lately) + count > BYTES_PER_MINUTE:
                raise OverQuotaError(
                    f"more than {BYTES_PER_MINUTE / 1e6:.0f} MB a minute are not saved"
                )
            self._bytes += count
            self._lately.append((now, files, count))
