"""From what was typed behind a verb to the settings of a program."""

import glob
import re
from collections.abc import Mapping, Sequence

from ..core.errors import FastTransferError
from ..core.paths import exists
from ..core.words import did_you_mean
from .hydra_messages import setting_of_training
from .options import Line
from .program import Program, Typed


def request(
    program: Program,
    line: Line,
    values: Mapping[str, object],
    overrides: Sequence[str] = (),
) -> Typed:
    """The settings that a command line asks for.

    Args:
        program: whose settings they are.
        line: what was typed; its words must all be settings.
        values: by setting, from the verb itself and its words that are names.
        overrides: choices of YAML files that follow from options.

    Raises:
        FastTransferError: a setting that is given twice or that does not exist.
    """
    typed = program.parse(line.words)
    options = {program.meant(key, value): value for key, value in line.options.items()}
    by_option = {**options, **values}
    spelled = {program.meant(key, line.options.get(key)): o for key, o in line.spelled.items()}
    given = {word.partition("=")[0].lstrip("+~") for word in line.words}
    for key in given & set(by_option):
        option = spelled.get(key, "a word of the command")
        raise FastTransferError(f"{key} is given twice, by {option} and by {key}=; leave one out")
    return Typed((*overrides, *typed.overrides), {**by_option, **typed.values})


def sort_words(program: Program, line: Line, chosen: Sequence[str] = ()) -> tuple[list[str], Line]:
    """The names among the words of a line, and the line with only the settings left.

    A word is a setting if what stands before its ``=`` is one; ``./size=3.jpg``, or ``size=3.jpg``
    after ``--``, is a file.

    Args:
        program: whose settings they are.
        line: what was typed.
        chosen: YAML files that options choose, with settings of their own.

    Raises:
        FastTransferError: a word that is neither a setting nor a file.
    """
    candidates = [word for word in line.words if re.match(r"[+~]*[A-Za-z_][\w./]*=", word)]
    known: set[str] = set()
    if candidates:
        known = {*program.settings([*chosen, *program.groups_in(candidates)])}
    settings: list[str] = []
    names: list[str] = []
    for typed in line.words:
        word = program.current(typed)
        key = word.partition("=")[0]
        is_setting = typed in candidates and (
            key in known or key.startswith(("+", "~", "hydra.", "hydra/")) or program.is_group(key)
        )
        if typed in candidates and not is_setting:
            _check_name(word, known, program)
        (settings if is_setting else names).append(word)
    return [*names, *line.files], Line(tuple(settings), (), line.options, line.spelled)


def _check_name(word: str, known: set[str], program: Program) -> None:
    key, _, value = word.partition("=")
    if exists(word) or (glob.has_magic(word) and glob.glob(word)):
        return
    hint = did_you_mean(key, known)
    advice = setting_of_training(key, program.folder)
    if not advice:
        advice = f"{hint[:-1]}={value}?" if hint else "--settings lists all settings"
    raise FastTransferError(f"there is no setting {key} and no file '{word}'; {advice}")
