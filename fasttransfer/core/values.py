"""Values of settings, as plain Python."""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from omegaconf import ListConfig

from .errors import FastTransferError


def as_list(value: object) -> list[str]:
    """A setting that may be one thing or a list of things, as a list; null is the empty list."""
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, ListConfig) else [str(value)]


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
