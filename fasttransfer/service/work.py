"""Pictures that are stylized: so many at the same time, so many that wait, each for so long."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from ..core.errors import FastTransferError

T = TypeVar("T")


class BusyError(FastTransferError):
    """As many requests as may wait are waiting."""


class LateError(FastTransferError):
    """A picture took longer than it may."""


class Work:
    """A bounded queue before a few threads. Its methods are for the event loop's thread.

    Args:
        workers: threads.
        waiting: most requests that wait for one of them.
        seconds: for each request, waiting included.
    """

    def __init__(self, workers: int, waiting: int, seconds: float) -> None:
        self._most = workers + waiting
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(workers, "stylize")
        self.here = 0  # requests with a place

    @contextmanager
    def place(self) -> Iterator[None]:
        """Takes a place in the queue, before anything of a request is read.

        Raises:
            BusyError: there is none.
        """
        if self.here >= self._most:
            raise BusyError(f"{self._most} pictures are waiting or being stylized; try again soon")
        self.here += 1
        try:
            yield
        finally:
            self.here -= 1

    async def run(self, function: Callable[[], T]) -> T:
        """What ``function`` returns in one of the threads.

        Raises:
            LateError: it takes too long. Where it has begun, it is not interrupted.
        """
        future = self._pool.submit(function)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._seconds)
        except asyncio.TimeoutError as error:
            raise LateError(
                f"the picture took more than {self._seconds:g} seconds; send a smaller one, or try "
                "again when there is less to do"
            ) from error

    def close(self) -> None:
        """Waits for what has begun, and drops what waits."""
        self._pool.shutdown(cancel_futures=True)
