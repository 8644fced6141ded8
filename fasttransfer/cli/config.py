"""Hydra for people: file names as they are typed, mistakes in one sentence."""

import contextlib
import difflib
import functools
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException, InstantiationException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ..core.assets import CONF_DIR, config_names
from ..core.errors import FastTransferError
from ..core.libraries import not_installed

# What ends a process from outside: SIGTERM, and a terminal that is closed, where there is such a signal.
_ENDINGS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def command(
    config_name: str, paths: tuple[str, ...], folder: Path = CONF_DIR
) -> Callable[[Callable[[DictConfig], None]], Callable[[], None]]:
    """Turns ``task(config)`` into a command: Hydra composes ``config_name`` from ``folder``.

    Args:
        config_name: the YAML file in ``folder``, without its ending.
        paths: the settings whose values are names of files, taken as they are typed.
        folder: where the YAML lies; its subfolders are the groups.

    A FastTransferError, a misspelt setting or a value of the wrong kind ends the process with one
    sentence on stderr and exit code 2; Ctrl-C ends it with 130, SIGTERM with 143, SIGHUP with 129; any
    other exception is a fault of ours and keeps its traceback.
    """

    def decorate(task: Callable[[DictConfig], None]) -> Callable[[], None]:
        @functools.wraps(task)
        def guarded(config: DictConfig) -> None:
            # Here, not only in main: Hydra announces every exception that leaves its task.
            try:
                _check_kinds(config, config_name, folder)
                task(config)
            except Exception as error:
                if HydraConfig.get().mode == RunMode.MULTIRUN:
                    _pass_on(error, config_name, folder)
                _end(error, config_name, folder)

        run = hydra.main(version_base="1.3", config_path=str(folder), config_name=config_name)

        @functools.wraps(task)
        def main() -> None:
            os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra raises instead of explaining
            _open_closed_streams()
            sys.argv[1:] = quote_paths(sys.argv[1:], paths)
            previous = {number: signal.signal(number, _terminate) for number in _ENDINGS}
            try:
                run(guarded)()
            except KeyboardInterrupt:
                print("\nstopped", file=sys.stderr)
                sys.exit(130)
            except Exception as error:
                _end(error, config_name, folder)
            finally:
                for number, handler in previous.items():
                    if signal.getsignal(number) is _terminate:
                        signal.signal(number, handler)

        return main

    return decorate


def _terminate(number: int, _: FrameType | None) -> NoReturn:
    """Ends as Ctrl-C does, so that what is half written is removed, undisturbed by a second signal."""
    for ending in _ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    sys.exit(128 + number)


def _open_closed_streams() -> None:
    """Gives a process that was started without stdin, stdout, or stderr (``2>&-``) empty ones.
    Otherwise the next file that is opened takes the free number, and messages end up inside it."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def _check_kinds(config: DictConfig, config_name: str, folder: Path) -> None:
    """Raises FastTransferError for a typed value that is of another kind than the setting's default:
    ``overwrite=no`` would be a word, and so true. Those of Lightning's trainer may be of several."""
    typed = OverridesParser.create().parse_overrides(list(HydraConfig.get().overrides.task))
    groups = [override for override in typed if _is_group(override, folder)]
    own = [
        override.key_or_group
        for override in typed
        if override not in groups and not override.is_add() and not override.is_delete()
    ]
    own = [key for key in own if not key.startswith("trainer.")]
    if not own:
        return
    defaults = _compose(config_name, folder, [str(override.input_line) for override in groups])
    for key in own:
        default = OmegaConf.select(defaults, key, throw_on_resolution_failure=False)
        value = OmegaConf.select(config, key)
        expected = _expected(value, default)
        if expected is not None:
            raise FastTransferError(f"{key}={value} must be {expected}.")


def _expected(value: object, default: object) -> str | None:
    """What a value should have been, or None if it is of the kind of the default."""
    if isinstance(default, bool):
        return None if isinstance(value, bool) else "true or false"
    if isinstance(default, int | float):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return None if is_number or value is None else "a number"
    if isinstance(default, ListConfig) and len(default):
        if not isinstance(value, ListConfig):
            return f"a list, such as [{','.join(map(str, default))}]"
        wrong = [_expected(item, default[0]) for item in value]
        return "a list of numbers" if "a number" in wrong else None
    return None


def _is_group(override: Override, folder: Path) -> bool:
    """Whether it chooses one of several YAML files."""
    return (folder / override.key_or_group).is_dir()


def _compose(config_name: str, folder: Path, overrides: list[str]) -> DictConfig:
    if GlobalHydra.instance().is_initialized():  # in the task, and for the same folder
        return hydra.compose(config_name, overrides)
    with hydra.initialize_config_dir(str(folder), version_base="1.3"):
        return hydra.compose(config_name, overrides)


def quote_paths(arguments: list[str], keys: tuple[str, ...]) -> list[str]:
    """Quotes the values of ``keys`` for Hydra, in whose grammar ``=``, blanks, commas, brackets and
    much else have a meaning that they do not have in a file name.

    ``input=my photo (1).jpg`` becomes ``input='my photo (1).jpg'``. A list ``[a b.jpg,c.jpg]`` is
    quoted item by item; null, what is quoted already, and sweeps (``-m``) stay as they are.
    """
    if {"-m", "--multirun"} & set(arguments):
        return arguments
    return [_quote_argument(argument, keys) for argument in arguments]


def _quote_argument(argument: str, keys: tuple[str, ...]) -> str:
    key, equals, value = argument.partition("=")
    if not equals or key.lstrip("+") not in keys:
        return argument
    if value.startswith("[") and value.endswith("]"):
        # A comma separates unless it stands between quotes.
        items = re.findall(r"""\s*((?:'[^']*'|"[^"]*")(?=\s*(?:,|$))|[^,]+)""", value[1:-1])
        return f"{key}=[{','.join(_quote(item.strip()) for item in items)}]"
    return f"{key}={_quote(value)}"


def _quote(value: str) -> str:
    if value in ("", "null") or (len(value) > 1 and value[0] == value[-1] and value[0] in "'\""):
        return value
    # A person who types ${…} in a file name does not mean an interpolation.
    return QuotedString(value.replace("${", "\\${"), Quote.single).with_quotes()


def _end(error: Exception, config_name: str, folder: Path) -> NoReturn:
    """Exit code 2 and one sentence for a user's mistake; anything else keeps its traceback."""
    sentence = _mistake(error, config_name, folder)
    if sentence is None:
        raise error
    print(sentence, file=sys.stderr)
    sys.exit(2)


def _pass_on(error: Exception, config_name: str, folder: Path) -> NoReturn:
    """Tells what ended a run of a sweep; the first process ends with one of these, after all runs."""
    sentence = _mistake(error, config_name, folder)
    if sentence is None:
        raise error
    print(f"run {HydraConfig.get().job.num}: {sentence}", file=sys.stderr)
    raise FastTransferError(sentence) from None  # another process is told no more than words


def _mistake(error: Exception, config_name: str, folder: Path) -> str | None:
    """What to tell a person, unless the fault is ours."""
    # Hydra wraps what a constructor raises, so the mistake may be the cause of the error.
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, FastTransferError):
        cause = cause.__cause__
    if cause is not None:
        return str(cause)
    if isinstance(error, InstantiationException):
        # What a constructor says of its arguments is the person's business; other faults are ours.
        told = error.__cause__
        if isinstance(told, (ValueError, TypeError)) or _is_misconfiguration(told):
            return f"{' '.join(str(told).split())} ({_node(error)})"
        return None
    if isinstance(error, (HydraException, OmegaConfBaseException)):
        return _explain(error, config_name, folder)
    return None


def _is_misconfiguration(error: BaseException | None) -> bool:
    """Whether it is Lightning's exception for wrong arguments, which is not worth importing it."""
    return type(error).__name__ == "MisconfigurationException"


def _node(error: InstantiationException) -> str:
    """Which setting an object was built from, as it is typed."""
    key = re.search(r"full_key: (\S+)", str(error))
    return f"check the settings {key[1]}.…" if key else "check the settings"


def _explain(error: Exception, config_name: str, folder: Path) -> str:
    if isinstance(error, OverrideParseException):
        return f"{error.override} is not of the form setting=value; --help lists the settings"
    launcher = re.search(r"Could not find 'hydra/launcher/((?:joblib|submitit)\w*)'", str(error))
    if launcher:
        return not_installed(f"hydra/launcher={launcher[1]}", "a plugin of Hydra", "cluster")
    unknown = re.match(r"Could not override '([^']+)'", str(error))
    if unknown:
        hint = _did_you_mean(unknown[1], _settings(config_name, folder))
        return f"there is no setting {unknown[1]}; {hint}--help lists them"
    absent = re.search(r"Could not find '([^']+)/([^'/]+)'", str(error))
    if absent:
        known = config_names(absent[1], folder)
        hint = _did_you_mean(absent[2], known)
        return f"there is no {absent[1]}={absent[2]}; {hint}choose from {', '.join(known)}"
    return " ".join(str(error).split())


def _did_you_mean(word: str, words: list[str]) -> str:
    close = difflib.get_close_matches(word, words, n=1)
    return f"did you mean {close[0]}? " if close else ""


def _settings(config_name: str, folder: Path) -> list[str]:
    """Every setting of a command with the groups that were chosen, as it is typed: ``size``,
    ``stylizer.size``, …"""
    parser = OverridesParser.create()
    chosen = []
    for argument in sys.argv[1:]:
        with contextlib.suppress(HydraException):
            override = parser.parse_override(argument)
            if _is_group(override, folder) and not override.is_sweep_override():
                chosen.append(argument)
    config = _compose(config_name, folder, chosen)

    def names(node: object, prefix: str) -> list[str]:
        if not isinstance(node, dict):
            return [prefix]
        found = [prefix] if prefix else []
        for key, child in node.items():
            found += names(child, f"{prefix}.{key}" if prefix else str(key))
        return found

    return names(OmegaConf.to_container(config, resolve=False), "")
