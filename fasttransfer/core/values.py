"""Values of settings, as plain Python."""

import math

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
