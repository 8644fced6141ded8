"""What a run reports: how far it is, what failed, and how fast it was."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from .displays import Display, display_on, rate
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
        self._shown = Display()  # what ``track`` shows now

    def fail(self, path: Path, error: Exception) -> None:
        """Keeps a sentence about a file that failed; the others continue."""
        self.failures.append(_about(path, str(error)))

    def damage(self, path: Path, text: str) -> None:
        """Keeps a sentence about a file that is done although a part of it was damaged."""
        self.damages.append(_about(path, text))

    def note(self, path: Path, text: str) -> None:
        """Prints at once what the user should know about a file that is done nevertheless."""
        self.notes.append(_about(path, text))
        self.say(self.notes[-1])

    def say(self, text: str) -> None:
        """Prints a line at once, as it is except for what controls a terminal."""
        self.console.print(shown_name(text), markup=False, soft_wrap=True)

    def track(
        self, items: Iterable[Item], total: int | None, title: str, unit: str
    ) -> Iterator[Item]:
        """Yields ``items`` and shows how many are done, if there are several.

        Args:
            items: whatever the caller works on.
            total: how many there are, if that is known.
            title: what they belong to, such as a style or the name of a video.
            unit: ``images`` or ``frames``.
        """
        before = len(self.failures)
        several = total is None or total > 1
        display = display_on(self.console, transient=False) if several else Display()
        with display:
            self._shown = display
            task = display.add(title, total, unit)
            for count, item in enumerate(items, 1):
                yield item  # the caller works here
                display.update(task, count, len(self.failures) - before)
                self.frames += unit == "frames"
            display.finish(task)

    @contextmanager
    def steps(self, title: str, total: int, unit: str) -> Iterator[Callable[[], None]]:
        """Shows the parts of one picture, below what ``track`` shows.

        Yields what is to be called after each part.
        """
        with ExitStack() as stack:
            display = self._shown
            if not display.is_active:
                display = stack.enter_context(display_on(self.console, transient=True))
            task = display.add(title, total, unit)
            count = itertools.count(1)
            try:
                yield lambda: display.update(task, next(count))
            finally:
                display.remove(task)

    def print_summary(self) -> None:
        """The last lines: what was done, what was skipped, and every file that failed."""
        seconds = time.perf_counter() - self._start
        if self.done:
            count, unit = (self.frames, "frames") if self.frames else (len(self.done), "images")
            what = _one_or_number(self.done, "files" if self.frames else "pictures")
            self.say(f"wrote {what} in {seconds:.1f} s ({rate(count, unit, seconds)})")
        if self.skipped:
            what = _one_or_number(self.skipped, "files")
            self.say(f"skipped {what}: done before; overwrite=true (--overwrite) does it again")
        if self.damages:
            self._print_list(f"done, but damaged: {len(self.damages)}", self.damages)
        if self.failures:
            files = "file" if len(self.failures) == 1 else "files"
            self._print_list(f"{len(self.failures)} {files} failed:", self.failures)

    def _print_list(self, title: str, lines: Sequence[str]) -> None:
        for line in (title, *(f"  {line}" for line in lines)):
            self.say(line)


def _one_or_number(paths: Sequence[Path], kind: str) -> str:
    return shown(paths[0]) if len(paths) == 1 else f"{len(paths)} {kind}"


def _about(path: Path, text: str) -> str:
    text = shown_name(text)
    return text if text.startswith(shown(path)) else f"{shown(path)}: {text}"
