"""What keeps a stream young: only the newest is kept, rates are counted, the size gives way."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Newest(Generic[Item]):
    """A one-item mailbox between two threads: a new item replaces one that was not taken."""

    def __init__(self) -> None:
        self._there = threading.Condition()
        self._item: Item | None = None

    def put(self, item: Item) -> bool:
        """Puts ``item`` in; True if it replaces one that was not taken."""
        with self._there:
            replaced = self._item is not None
            self._item = item
            self._there.notify()
        return replaced

    def take(self, seconds: float) -> Item | None:
        """What is there, or comes within ``seconds``."""
        with self._there:
            self._there.wait_for(lambda: self._item is not None, seconds)
            item, self._item = self._item, None
        return item


class Listeners:
    """Callbacks for whatever is new; they may come and go in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    @contextmanager
    def hearing(self, callback: Callable[[], None]) -> Iterator[None]:
        """Calls ``callback`` each time until the block ends."""
        with self._lock:
            self._callbacks.append(callback)
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)

    def __len__(self) -> int:
        return len(self._callbacks)

    def __call__(self) -> None:
        """Calls all of them."""
        with self._lock:
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()


class Rate:
    """Events per second over the last moments."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._times: deque[float] = deque(maxlen=1000)

    def count(self) -> None:
        """One event now."""
        self._times.append(time.perf_counter())

    def __call__(self) -> float:
        """Events per second; 0 if there were fewer than two lately."""
        times = list(self._times)
        recent = [moment for moment in times if moment > time.perf_counter() - self._seconds]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 else 0.0


class WorkingSize:
    """The share of a camera's side at which the network works.

    A frame then takes at most ``budget`` seconds: a picture that is smaller is better than one that
    lags.
    """

    SHARES = (1.0, 0.75, 0.5, 0.375, 0.25)
    JUDGED = 3  # frames before it becomes smaller
    TRUSTED = 40  # frames before it becomes larger
    SPARE = 0.8  # of the budget, that the larger one may need by its area

    def __init__(self, budget: float) -> None:
        self._budget = budget
        self._level = 0
        self._times: list[float] = []

    @property
    def share(self) -> float:
        """1 for the camera's own size, less where that takes too long."""
        return self.SHARES[self._level]

    @property
    def exhausted(self) -> bool:
        """Whether it cannot become smaller."""
        return self._level == len(self.SHARES) - 1

    def restart(self) -> None:
        """Forgets the times of frames, as another network starts."""
        self._times = []

    def took(self, seconds: float) -> None:
        """Counts a frame that took so many seconds."""
        self._times.append(seconds)
        if len(self._times) <= self.JUDGED:
            return
        typical = median(self._times[1:])  # the first one warms the network up
        larger = self.SHARES[max(0, self._level - 1)]
        if typical > self._budget:
            while typical > self._budget and not self.exhausted:
                before, self._level = self.share, self._level + 1
                typical *= (self.share / before) ** 2  # as the pixels
        elif len(self._times) <= self.TRUSTED:
            return
        elif typical * (larger / self.share) ** 2 < self.SPARE * self._budget:
            self._level = max(0, self._level - 1)
        self._times = []
