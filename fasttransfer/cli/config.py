"""Runs a program: Hydra composes its settings, and mistakes end it with one sentence."""

import contextlib
import functools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.types import RunMode
from omegaconf import DictConfig, read_write

from ..core.errors import FastTransferError, shown_name
from .hydra_messages import explain
from .kinds import fit_kinds
from .program import Program, Typed, literal, put, rename_old
from .script import read_script_arguments
from .streams import guard_streams

# What ends a process from outside: SIGTERM, and a terminal that is closed, where there is such a signal.
_ENDINGS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]

Task = Callable[[DictConfig], None]


def command(program: Program) -> Callable[[Task], Callable[..., None]]:
    """Turns ``task(config)`` into a command that takes what was typed, or else reads ``sys.argv``.

    A FastTransferError, a misspelt setting or a value of the wrong kind ends the process with one
    sentence on stderr and exit code 2; Ctrl-C ends it with 130, SIGTERM with 143, a closed terminal
    with 129; any other exception is a fault of ours and keeps its traceback.
    """

    def decorate(task: Task) -> Callable[..., None]:
        @functools.wraps(task)
        def main(typed: Typed | None = None) -> None:
            guard_streams()
            argv = list(sys.argv)
            try:
                with _signals():
                    if typed is None:
                        typed = read_script_arguments(program, argv)
                    _run(program, task, typed, argv)
            except KeyboardInterrupt:
                print("\nstopped", file=sys.stderr)
                sys.exit(130)
            except Exception as error:
                _end(error, program)
            finally:
                sys.argv = argv

        return main

    return decorate


def _run(program: Program, task: Task, typed: Typed, argv: list[str]) -> None:
    @functools.wraps(task)
    def guarded(config: DictConfig) -> None:
        # Here, not only in main: Hydra announces every exception that leaves its task.
        try:
            sys.argv = argv  # Lightning starts further processes by it
            rename_old(config)
            _put(config, typed)
            fit_kinds(config, program, typed)
            task(config)
        except Exception as error:
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                _pass_on(error, program)
            _end(error, program)

    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra raises instead of explaining
    sys.argv = [argv[0], *typed.overrides]
    run = hydra.main(
        version_base="1.3", config_path=str(program.folder), config_name=program.config_name
    )
    run(guarded)()


def _put(config: DictConfig, typed: Typed) -> None:
    """Puts the typed values into the configuration, and into what Hydra reports as typed."""
    put(config, typed)
    hydra_config: Any = HydraConfig.get()
    with read_write(hydra_config):
        hydra_config.overrides.task += [
            f"{key}={_in_grammar(value)}" for key, value in typed.values.items()
        ]


def _in_grammar(value: object) -> str:
    """A value as Hydra would have it typed."""
    if isinstance(value, list):
        return f"[{','.join(map(_in_grammar, value))}]"
    if isinstance(value, str):
        return QuotedString(str(literal(value)), Quote.single).with_quotes()
    return {None: "null", True: "true", False: "false"}.get(value, str(value))  # type: ignore[call-overload]


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Lets what asks a process to end do it as Ctrl-C does, so that what is half written is removed."""
    # What the parent process ignores (nohup) stays ignored.
    numbers = [number for number in _ENDINGS if signal.getsignal(number) != signal.SIG_IGN]
    previous = {number: signal.signal(number, _terminate) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            if signal.getsignal(number) is _terminate:
                signal.signal(number, handler)


def _terminate(number: int, _: FrameType | None) -> NoReturn:
    for ending in _ENDINGS:  # a second one does not disturb
        signal.signal(ending, signal.SIG_IGN)
    sys.exit(128 + number)


def _end(error: Exception, program: Program) -> NoReturn:
    """Exit code 2 and one sentence for a user's mistake; anything else keeps its traceback."""
    sentence = _mistake(error, program)
    if sentence is None:
        raise error
    print(shown_name(sentence), file=sys.stderr)
    sys.exit(2)


def _pass_on(error: Exception, program: Program) -> NoReturn:
    """Reports what ended a run of a sweep; the first process ends with one of these, after all runs."""
    sentence = _mistake(error, program)
    if sentence is None:
        raise error
    print(shown_name(f"run {HydraConfig.get().job.num}: {sentence}"), file=sys.stderr)
    raise FastTransferError(sentence) from None  # another process can only be passed words


def _mistake(error: Exception, program: Program) -> str | None:
    """The sentence for the user, unless the fault is ours."""
    # Hydra wraps what a constructor raises, so the mistake may be the cause of the error.
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, FastTransferError):
        cause = cause.__cause__
    if cause is not None:
        return str(cause)
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"'{shown_name(error.filename)}' cannot be used: {error.strerror}"

    def settings() -> list[str]:
        return program.settings(program.groups_in(sys.argv[1:]))

    return explain(error, program.folder, settings)
