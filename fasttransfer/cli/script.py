"""The arguments of ``train.py`` and ``infer.py``: settings, and the few options that Hydra has."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..core.errors import FastTransferError
from ..core.words import did_you_mean
from .program import Program, Typed

_SWEEP = ("-m", "--multirun")
_WITHOUT_VALUE = (
    *("-h", "--help", "--hydra-help", "--version", "--resolve", "-r", "--run", *_SWEEP),
    *("-sc", "--shell-completion", "-i", "--info"),
)
_WITH_VALUE = (
    *("-c", "--cfg", "-p", "--package", "-cp", "--config-path", "-cn", "--config-name"),
    *("-cd", "--config-dir", "--experimental-rerun"),
)
_OWN_FOLDER = ("-cd", "--config-dir")
# Options of the command `fasttransfer` whose settings have other names.
_OTHER_NAMES = {
    "o": ("output", "run_dir"),
    "photos": ("data.root", "photos"),
    "steps": ("trainer.max_steps", "steps"),
    "keep_colors": ("color",),
    "device": ("device", "trainer.accelerator"),
    "list": ("list",),
}


def read_script_arguments(program: Program, argv: Sequence[str]) -> Typed:
    """What was typed after the name of a script.

    In a sweep (``-m``) commas separate its runs, so everything is left to Hydra there.

    Raises:
        FastTransferError: an argument that is neither a setting nor an option.
    """
    arguments = list(argv[1:])
    options: list[str] = []
    words: list[str] = []
    while arguments:
        argument = arguments.pop(0)
        if argument.partition("=")[0] in _WITH_VALUE:
            options.append(argument)
            if "=" not in argument and arguments:
                options.append(arguments.pop(0))
            if argument.partition("=")[0] in _OWN_FOLDER:
                place = Path(options[-1].removeprefix(f"{argument.partition('=')[0]}="))
                program = replace(program, own=(*program.own, place))
        elif argument.partition("=")[0] in _WITHOUT_VALUE:
            options.append(argument)
        elif argument.startswith("-"):
            following = arguments[0] if arguments else ""
            raise FastTransferError(_in_other_words(program, argument, following))
        else:
            words.append(argument)
    if set(_SWEEP) & set(options):
        return Typed((*options, *map(program.current, words)))
    typed = program.parse(words)
    return Typed((*options, *typed.overrides), typed.values)


def _in_other_words(program: Program, option: str, following: str) -> str:
    """How a setting is spelled that was typed as an option."""
    name, equals, value = option.lstrip("-").partition("=")
    name = name.replace("-", "_")
    settings = program.settings()
    candidates = (name, *_OTHER_NAMES.get(name, ()))
    found = [one for one in candidates if one in settings]
    found += [one for one in settings if one.endswith(f".{name}")]
    if not found:
        hint = did_you_mean(name, settings) or "settings are written setting=value"
        return f"there is no option {option}; {hint}"
    if not equals:
        takes_value = following and not following.startswith("-") and "=" not in following
        value = following if takes_value else "true"
    spelled = f"{found[0]}={value}"
    return f"write {_quoted(spelled)} instead of {option}: settings of this script have no dashes"


def _quoted(word: str) -> str:
    """As it is typed in a shell."""
    return word if re.fullmatch(r"[\w@%+=:,./-]+", word) else f"'{word}'"
