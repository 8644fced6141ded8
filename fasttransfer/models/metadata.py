"""What a style file says of itself, before anything believes it."""

import unicodedata
from collections.abc import Mapping
from typing import Any

MOST_DEPTH = 16  # of values within values; ours have 6
MOST_NAME = 80  # characters of a style's name
MOST_CHANNELS = 4096
MOST_BLOCKS = 100
MOST_KERNEL = 63
MOST_UNSHUFFLE = 16
_REPLACED = (
    "Cc",
    "Cf",
    "Cs",
    "Co",
    "Cn",
    "Zl",
    "Zp",
)  # control, format, surrogates, …: not printed
_SHOWN_FORMAT = "\u200c\u200d"  # joiners, which some scripts are written with


def clean_text(text: str) -> str:
    """The text in one line, with � where a terminal or an encoder would stumble."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(letter) in _REPLACED and letter not in _SHOWN_FORMAT
        else letter
        for letter in text
    )


def clean_name(name: object, otherwise: str) -> str:
    """A style's name in one short line; ``otherwise`` if it is no text."""
    text = clean_text(name if isinstance(name, str) and name.strip() else otherwise).strip()
    return text if len(text) <= MOST_NAME else f"{text[: MOST_NAME - 1]}…"


def clean_metadata(metadata: object) -> dict[str, Any]:
    """Metadata as plain JSON values whose texts can be printed and written.

    The old key ``licence`` becomes ``license``.

    Raises:
        ValueError: no mapping, other values, or values nested too deep.
    """
    if not isinstance(metadata, Mapping):
        raise ValueError(f"it is a {type(metadata).__name__}, not names with values")
    cleaned: dict[str, Any] = {str(key): _clean(value, 1) for key, value in metadata.items()}
    if "licence" in cleaned:
        cleaned.setdefault("license", cleaned.pop("licence"))
        cleaned.pop("licence", None)
    return cleaned


def _clean(value: object, depth: int) -> Any:
    if depth > MOST_DEPTH:
        raise ValueError(f"its values are nested more than {MOST_DEPTH} deep")
    if isinstance(value, str):
        return clean_text(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_clean(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {clean_text(str(key)): _clean(item, depth + 1) for key, item in value.items()}
    raise ValueError(f"it has a {type(value).__name__} among its values")


def check_config(config: object, tensors: int) -> dict[str, Any]:
    """The arguments of a ``TransformerNet``, if one with as many tensors can have them.

    Building a network takes time and memory for each layer, so this comes before.

    Raises:
        ValueError: other names or values, or more layers than there are tensors.
    """
    names = {"channels", "residual_blocks", "kernel_size", "unshuffle", "smooth"}
    if not isinstance(config, dict) or set(config) != names:
        raise ValueError(f"its network is not described by {', '.join(sorted(names))}")
    channels = config["channels"]
    if not isinstance(channels, list) or not 1 <= len(channels) <= tensors:
        raise ValueError("channels is no list of as many widths as there are layers")
    limits = [(width, 1, MOST_CHANNELS) for width in channels]
    limits.append((config["residual_blocks"], 0, MOST_BLOCKS))
    limits.append((config["kernel_size"], 1, MOST_KERNEL))
    limits.append((config["unshuffle"], 1, MOST_UNSHUFFLE))
    for number, least, most in limits:
        if type(number) is not int or not least <= number <= most:
            raise ValueError(f"{str(number)[:40]} is no number from {least} to {most}")
    if not isinstance(config["smooth"], bool):
        raise ValueError("smooth is not true or false")
    return config
