"""Values of settings, as plain Python."""

import contextlib
import glob
import math
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from omegaconf import ListConfig

from .errors import FastTransferError
from .files import is_remote
from .paths import exists, expand_user

_WEIGHT = re.compile(r":\s*\d*\.?\d+\s*(,|$)")  # mosaic:0.6,udnie:0.4 is one style


def as_list(value: object) -> list[str]:
    """A setting that may be one name or several, as a list.

    Args:
        value: None is no name, and the items of a list are names as they are. Text is one name where
            such a file exists, where it is a pattern that finds files, or a blend of styles. Otherwise
            ``a,b`` and ``[a,b]`` are several names; quotes around a name keep its commas.
    """
    if value is None:
        return []
    if isinstance(value, ListConfig | list | tuple):
        return [str(item) for item in value]
    text = str(value)
    if exists(expand_user(text)) or _WEIGHT.search(text) or _finds_files(text):
        return [text]
    bracketed = text.startswith("[") and text.endswith("]")
    names = [unquoted(name) for name in _split(text[1:-1] if bracketed else text)]
    if bracketed:
        return names
    is_one = len(names) < 2 or (is_remote(text) and not all(map(is_remote, names)))
    return [unquoted(text)] if is_one else names


def unquoted(text: str) -> str:
    r"""Without the quotes around it, if there are any, and without the backslashes that they require.

    Inside quotes, as in Hydra, a backslash comes before a quote of that kind and before ``${``.

    >>> unquoted(r"'it\'s.jpg'")
    "it's.jpg"
    """
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    if not quoted:
        return text
    escaped = rf"(\\+)({text[0]}|\$\{{|$)"

    def halved(found: re.Match[str]) -> str:
        at_the_end = not found[2]  # where D:\ may stand as it is
        return found[1][: (len(found[1]) + at_the_end) // 2] + found[2]

    return re.sub(escaped, halved, text[1:-1])


def _finds_files(pattern: str) -> bool:
    with contextlib.suppress(OSError, ValueError, re.error):
        return glob.has_magic(pattern) and any(glob.iglob(str(expand_user(pattern))))
    return False


_QUOTED = [
    rf"{quote}(?:{inside})*{quote}(?=\s*(?:,|$))"
    for quote in "'\""
    for inside in (rf"\\.|[^{quote}\\]", rf"[^{quote}]")
]
_ITEM = re.compile(
    "(?:" + "|".join([*_QUOTED, r"\[[^\]]*\]", r"\{[^}]*\}", "[^,]"]) + ")+", re.DOTALL
)


def _split(text: str) -> list[str]:
    """At commas, but not inside quotes and brackets."""
    return [found.strip() for found in _ITEM.findall(text) if found.strip()]


def whole_number(name: str, value: object, least: int, most: int | None = None) -> int:
    """``value``, if it is a whole number from ``least`` on, and not above ``most``.

    Args:
        name: of the setting, as it is typed.
        value: what was given for it.
        least: the smallest that is allowed.
        most: the largest, if there is one.

    Raises:
        FastTransferError: it is anything else.
    """
    largest = math.inf if most is None else most
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= largest:
        return value
    limits = f"from {least} on" if most is None else f"from {least} to {most}"
    raise FastTransferError(f"{name}={value} must be a whole number {limits}.")


def number(name: str, value: object, least: float, below: float = math.inf) -> float:
    """``value``, if it is a number from ``least`` on that is below ``below``.

    Args:
        name: of the setting, as it is typed.
        value: what was given for it.
        least: the smallest that is allowed.
        below: the smallest that is too large.

    Raises:
        FastTransferError: it is anything else.
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and least <= value < below:
        return value
    limits = f"from {least} on" if below == math.inf else f"from {least} to below {below}"
    raise FastTransferError(f"{name}={value} must be a number {limits}.")


def split(settings: Mapping[str, Any], *kinds: type) -> tuple[Any, ...]:
    """Settings as they stand in YAML, side by side, as values of several dataclasses.

    Args:
        settings: by name; each is a field of one or several of ``kinds``.
        kinds: dataclasses.

    Returns:
        One of each kind.

    Raises:
        TypeError: a name that no kind has, or a field without a value.
    """
    names = [{field.name for field in fields(kind)} for kind in kinds]
    unknown = sorted({*settings}.difference(*names))
    if unknown:
        raise TypeError(f"there is no setting {unknown[0]}")
    return tuple(
        kind(**{name: value for name, value in settings.items() if name in own})
        for kind, own in zip(kinds, names, strict=True)
    )
