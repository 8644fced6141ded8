"""``train.py`` and ``infer.py`` in processes of their own, which do not wait for the imports.

One process for all tests of a worker imports what the commands need, and forks for each of them. Each
import of PyTorch and Lightning takes seconds, and in a test it shows nothing.
"""

import importlib
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from pathlib import Path

_IMPORTED = (
    *("fasttransfer.cli.train", "fasttransfer.cli.infer", "fasttransfer.pipeline.media"),
    *("fasttransfer.training.module", "fasttransfer.training.callbacks"),
    *("fasttransfer.losses.objectives", "fasttransfer.data.datamodule"),
    *("pytorch_lightning", "tensorboard.backend.event_processing.event_accumulator", "av"),
)


def _context() -> BaseContext:
    if not hasattr(os, "fork"):
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_IMPORTED])
    return context


_CONTEXT = _context()


@dataclass(frozen=True)
class Done:
    """A command that has ended: its exit code, or minus the number of a signal, and its words."""

    returncode: int
    stdout: str
    stderr: str


class Command:
    """A command that runs, in a process group of its own, as from a terminal."""

    def __init__(self, name: str, *typed: str, cwd: Path) -> None:
        self._words = Path(tempfile.mkdtemp())
        arguments = (name, typed, cwd, self._words)
        self._process = _CONTEXT.Process(target=_call, args=arguments)  # type: ignore[attr-defined]
        self._process.start()
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        code: int | None = self._process.exitcode
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Sends the process a signal."""
        os.kill(self.pid, number)

    def wait(self, seconds: float = 300) -> Done:
        """Waits for its end."""
        self._process.join(seconds)
        code = self._process.exitcode
        if code is None:
            self._process.kill()
            self._process.join()
        words = [(self._words / name).read_text(encoding="utf-8") for name in ("stdout", "stderr")]
        shutil.rmtree(self._words)
        assert code is not None, words
        return Done(code, *words)


def run(name: str, *typed: str, cwd: Path) -> Done:
    """``train`` or ``infer`` with arguments, from its start to its end."""
    return Command(name, *typed, cwd=cwd).wait()


def _call(name: str, typed: tuple[str, ...], cwd: Path, words: Path) -> None:
    """What the process does."""
    if hasattr(os, "setsid"):
        os.setsid()
    os.chdir(cwd)
    nothing = os.open(os.devnull, os.O_RDONLY)
    files = (
        os.open(words / name, os.O_CREAT | os.O_WRONLY, 0o600) for name in ("stdout", "stderr")
    )
    for number, descriptor in enumerate((nothing, *files)):
        os.dup2(descriptor, number)
    sys.argv = [f"{name}.py", *typed]
    importlib.import_module(f"fasttransfer.cli.{name}").main()
