"""Ways to show how far a run is: bars on a terminal, a plain line now and then in a log file."""

import threading
import time
from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from .errors import shown_name

SECONDS_BETWEEN_LINES = 30.0


@dataclass
class Task:
    """Something that is counted."""

    title: str
    total: int | None
    unit: str
    start: float = field(default_factory=time.perf_counter)
    done: int = 0
    failed: int = 0
    bar: int = 0  # of Rich
    note: str = ""  # what else is known now

    @property
    def rate(self) -> str:
        """Of what is done so far, and the note."""
        seconds = time.perf_counter() - self.start
        parts = (rate(self.done, self.unit, seconds) if self.done else "", self.note)
        return ", ".join(filter(None, parts))

    def line(self) -> str:
        """``mosaic: 120/2000 images, 3.41 images/s, 9 min left``."""
        seconds = time.perf_counter() - self.start
        counted = self.done + self.failed
        of = "" if self.total is None else f"/{self.total}"
        parts = [f"{self.title}: {counted}{of} {self.unit}", self.rate]
        parts.append(f"{self.failed} failed" if self.failed else "")
        if self.total is not None and counted:
            parts.append(f"{duration(seconds / counted * (self.total - counted))} left")
        else:
            parts.append(f"{duration(seconds)} so far")
        return ", ".join(filter(None, parts))


class Display:
    """Shows nothing; the others show several tasks, each below the one before."""

    is_active = False

    def __enter__(self) -> "Display":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def add(self, title: str, total: int | None, unit: str) -> Task:
        """Begins to count."""
        return Task(shown_name(title), total, unit)

    def update(self, task: Task, done: int, failed: int = 0) -> None:
        """So many are done, and so many more have failed."""
        task.done, task.failed = done, failed

    def finish(self, task: Task) -> None:
        """All are done, also those that were not known to come."""

    def remove(self, task: Task) -> None:
        """The task is over."""


class Bars(Display):
    """Bars that change in place.

    Args:
        console: a terminal.
        transient: whether they disappear in the end.
    """

    def __init__(self, console: Console, transient: bool) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            TimeRemainingColumn(),
            console=console,
            transient=transient,
        )

    def __enter__(self) -> "Bars":
        self._progress.start()
        self.is_active = True
        return self

    def __exit__(self, *_: object) -> None:
        self.is_active = False
        self._progress.stop()

    def add(self, title: str, total: int | None, unit: str) -> Task:
        """A further bar."""
        task = super().add(title, total, unit)
        task.bar = self._progress.add_task(task.title, total=total, rate="")
        return task

    def update(self, task: Task, done: int, failed: int = 0) -> None:
        """Moves its bar."""
        super().update(task, done, failed)
        self._progress.update(TaskID(task.bar), completed=done + failed, rate=task.rate)

    def finish(self, task: Task) -> None:
        """Fills its bar."""
        self._progress.update(TaskID(task.bar), completed=task.total)

    def remove(self, task: Task) -> None:
        """Takes its bar away."""
        self._progress.remove_task(TaskID(task.bar))


class Lines(Display):
    """A line every ``every`` seconds, also while one item takes longer than that.

    Args:
        console: no terminal, such as a log file.
        every: seconds between two lines.
    """

    def __init__(self, console: Console, every: float = SECONDS_BETWEEN_LINES) -> None:
        self._console = console
        self._every = every
        self._tasks: list[Task] = []
        self._end = threading.Event()

    def __enter__(self) -> "Lines":
        self._end.clear()
        self.is_active = True
        threading.Thread(target=self._print, name="progress", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_active = False
        self._end.set()

    def _print(self) -> None:
        while not self._end.wait(self._every):
            text = "; ".join(task.line() for task in list(self._tasks))
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def add(self, title: str, total: int | None, unit: str) -> Task:
        """A further part of the line."""
        task = super().add(title, total, unit)
        self._tasks.append(task)
        return task

    def remove(self, task: Task) -> None:
        """The line goes without it."""
        self._tasks.remove(task)


def display_on(console: Console, transient: bool) -> Display:
    """Bars on a terminal, lines elsewhere; ``transient`` bars disappear in the end."""
    return Bars(console, transient) if console.is_terminal else Lines(console)


def rate(count: int, units: str, seconds: float) -> str:
    """``2.50 images/s``, or ``4.0 s/image`` where each takes longer than a second."""
    if count >= seconds:
        return f"{count / max(seconds, 1e-9):.2f} {units}/s"
    return f"{seconds / count:.1f} s/{units.removesuffix('s')}"


def duration(seconds: float) -> str:
    """A time as people say it: ``40 s``, ``7 min``, ``2 h 5 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
