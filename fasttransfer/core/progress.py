"""What a run tells the person: a progress line, what could not be done, and how fast it went."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .errors import shown_name
from .files import shown

Item = TypeVar("Item")


@dataclass
class Report:
    """Filled by sources and sinks, also from their threads (appending to a list is atomic)."""

    done: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    damages: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    frames: int = 0
    console: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))

    def __post_init__(self) -> None:
        self._start = time.perf_counter()
        self._progress: Progress | None = None  # while ``track`` shows one

    def fail(self, path: Path, error: Exception) -> None:
        """Remembers a sentence about a file; the others go on."""
        self.failures.append(_about(path, str(error)))

    def damage(self, path: Path, text: str) -> None:
        """Remembers a sentence about a file that is done although a part of it was damaged."""
        self.damages.append(_about(path, text))

    def note(self, path: Path, text: str) -> None:
        """Tells at once what a person should know about a file that is done nevertheless."""
        self.notes.append(_about(path, text))
        self.console.print(self.notes[-1], markup=False, soft_wrap=True)

    def track(
        self, items: Iterable[Item], total: int | None, title: str, unit: str
    ) -> Iterator[Item]:
        """Yields ``items`` beside a line with their number, images/s or frames/s (the ``unit``) and
        the time left, if there are several."""
        start, before = time.perf_counter(), len(self.failures)
        with self._make_progress(disable=total is not None and total < 2) as progress:
            self._progress = progress
            task = progress.add_task(title, total=total, rate="")
            for count, item in enumerate(items, 1):
                yield item  # the caller works here
                rate = _rate(count, unit, time.perf_counter() - start)
                progress.update(task, completed=count + len(self.failures) - before, rate=rate)
                self.frames += unit == "frames"
            progress.update(task, completed=total)

    @contextmanager
    def steps(self, title: str, total: int, unit: str) -> Iterator[Callable[[], None]]:
        """A line for the parts of one picture, below that of ``track``; yields what is to be called
        after each part."""
        start, count = time.perf_counter(), 0
        with ExitStack() as stack:
            progress = self._progress
            if progress is None or progress.disable:
                hidden = not self.console.is_terminal
                progress = self._make_progress(disable=hidden, transient=True)
                stack.enter_context(progress)
            task = progress.add_task(title, total=total, rate="")

            def step() -> None:
                nonlocal count
                count += 1
                rate = _rate(count, unit, time.perf_counter() - start)
                progress.update(task, completed=count, rate=rate)

            try:
                yield step
            finally:
                progress.remove_task(task)

    def _make_progress(self, disable: bool = False, transient: bool = False) -> Progress:
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self.console,
            disable=disable,
            transient=transient,
        )

    def print_summary(self) -> None:
        """The last lines: what was done, what was skipped, and every file that failed."""
        seconds = time.perf_counter() - self._start
        lines = []
        if self.done:
            count, unit = (self.frames, "frames") if self.frames else (len(self.done), "images")
            rate = _rate(count, unit, seconds)
            kind = "files" if self.frames else "pictures"
            what = shown(self.done[0]) if len(self.done) == 1 else f"{len(self.done)} {kind}"
            lines.append(f"wrote {what} in {seconds:.1f} s ({rate})")
        if self.skipped:
            what = (
                shown(self.skipped[0]) if len(self.skipped) == 1 else f"{len(self.skipped)} files"
            )
            lines.append(f"skipped {what}, there already; overwrite=true does them again")
        if self.damages:
            lines.append(f"done, but damaged: {len(self.damages)}")
            lines += [f"  {damage}" for damage in self.damages]
        if self.failures:
            lines.append(f"could not do {len(self.failures)}:")
            lines += [f"  {failure}" for failure in self.failures]
        for line in lines:
            self.console.print(line, markup=False, soft_wrap=True)


def _rate(count: int, units: str, seconds: float) -> str:
    """``2.50 images/s``, or ``4.0 s/image`` where each takes longer than a second."""
    if count >= seconds:
        return f"{count / seconds:.2f} {units}/s"
    return f"{seconds / count:.1f} s/{units.removesuffix('s')}"


def _about(path: Path, text: str) -> str:
    text = shown_name(text)
    return text if text.startswith(shown(path)) else f"{shown(path)}: {text}"
