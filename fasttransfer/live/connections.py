"""Connections to the server: how many there may be, and how long a request may take to arrive.

The number of descriptors is limited. A client that opens connections and sends nothing, or one byte
at a time, would take them all. So a request must be there after some seconds, and when all places
are taken, the connection that has waited longest for its client makes room for the new one. A
browser sends its request at once, so the page keeps working. A photo may take longer on its way.
"""

import asyncio
import sys
from collections.abc import Sequence

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .limits import PHOTO

REQUEST_SECONDS = 10.0  # from the first byte, or from the connection on, to the last byte
PHOTO_SECONDS = 120.0  # the same for a photo: 100 MB at 7 Mbit/s
MOST = 128
MOST_OF_A_CLIENT = 96
BACKLOG = 16  # connections accepted in one go: fewer than there are places


def places() -> int:
    """How many connections there may be: a quarter of the descriptors of this process at most."""
    if sys.platform == "win32":
        return MOST
    import resource

    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if allowed == resource.RLIM_INFINITY else max(2 * BACKLOG, min(MOST, allowed // 4))


def bounded_protocol(
    most: int, seconds: float = REQUEST_SECONDS, uploads: Sequence[str] = (PHOTO,)
) -> type[H11Protocol]:
    """The HTTP protocol of uvicorn with limits.

    Args:
        most: connections at the same time, web sockets included.
        seconds: for a request to arrive.
        uploads: paths where a request may take longer to arrive.
    """
    connected: dict[BoundedProtocol, None] = {}  # in the order they came

    class Bounded(BoundedProtocol):
        request_seconds = seconds
        upload_paths = tuple(uploads)

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            for other in [c for c in connected if c.transport.is_closing()]:
                del connected[other]
            own = [c for c in connected if c.client_host == self.client_host]
            for group, limit in ((own, MOST_OF_A_CLIENT), ([*connected], most)):
                alive = [c for c in group if c in connected]
                if len(alive) < limit:
                    continue
                oldest = next((c for c in alive if c.waits_for_client), self)
                connected.pop(oldest, None)
                oldest.transport.abort()
            if not transport.is_closing():
                connected[self] = None

    return Bounded


class BoundedProtocol(H11Protocol):
    """A connection that ends when its client takes too long to send a request."""

    request_seconds = REQUEST_SECONDS
    upload_paths: tuple[str, ...] = (PHOTO,)
    _timer: asyncio.TimerHandle | None = None
    _seconds = 0.0  # of the timer

    @property
    def client_host(self) -> str:
        """The address of the client."""
        return self.client[0] if self.client else ""

    @property
    def waits_for_client(self) -> bool:
        """Whether nothing is being done for the client: its request has not arrived as a whole."""
        if self.transport.get_protocol() is not self:
            return False  # a web socket
        answering = self.cycle is not None and not self.cycle.response_complete
        return not answering or self.conn.their_state is h11.SEND_BODY

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Starts the time of the first request."""
        super().connection_made(transport)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        """Starts or stops the time of a request."""
        super().data_received(data)
        if self.transport.get_protocol() is self and self.conn.their_state in (
            h11.IDLE,
            h11.SEND_BODY,
        ):
            self._start_timer()
        else:
            self._stop_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the time."""
        self._stop_timer()
        super().connection_lost(exc)

    def _start_timer(self) -> None:
        arriving = self.conn.their_state is h11.SEND_BODY
        is_upload = arriving and self.scope is not None and self.scope["path"] in self.upload_paths
        seconds = PHOTO_SECONDS if is_upload else self.request_seconds
        if self._timer is not None and seconds > self._seconds:
            self._stop_timer()
        if self._timer is None:
            self._seconds = seconds
            self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
