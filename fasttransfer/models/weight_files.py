"""Weights and metadata as files hold them: style files, checkpoints, and weights of other programs.

A style file is a safetensors file: weights plus metadata as JSON strings, so it holds no objects.
Lightning checkpoints and the weights of other programs are pickles, which ``torch_files`` reads without
running code. What a file claims is compared with what it holds before anything is made of it.
"""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..core.errors import FastTransferError, brief
from .metadata import clean_metadata
from .pytorch_examples import LAYOUT, translate
from .torch_files import read_torch_file
from .torch_pickle import CodeError

FORMAT_VERSION = 1  # of a style file's metadata
TARGET_VERSION = 2  # of one with a target, which older programs would take for weights
TARGET = (
    "style_target."  # before the names of what scores compare with, see ``losses.stored_target``
)
MOST_TARGET = 2**21  # bytes of all that; ours have 300,000
MOST_FILE = 2**31  # bytes; weights of other programs may have a loss network with them
MOST_HEADER = 2**20  # bytes of a safetensors header; ours have 10,000
CHECKPOINT_KEY = "fasttransfer"  # where a Lightning checkpoint carries a style file's metadata
TORCH_SUFFIXES = (".ckpt", ".pth", ".pt", ".model")  # all other files are safetensors
AVERAGED_WEIGHTS = "averaged.module."  # the prefix of the network's weights in such a checkpoint

READABLE = (  # the end of every refusal: what to give instead
    "give a style.safetensors or a .ckpt that train.py wrote, or a state dict of "
    f"{LAYOUT} (.pth, .model)"
)


def read_weights(path: Path) -> tuple[Mapping[str, object], dict[str, Any]]:
    """Names with what should be tensors, and the metadata of a file.

    Raises:
        FastTransferError: for a file that is damaged, of an unknown layout, or that would have to run
            code to be read.
    """
    if path.stat().st_size > MOST_FILE:
        raise FastTransferError(
            f"'{path}' has {path.stat().st_size / 1e9:.1f} GB, more than any style; {READABLE}."
        )
    if path.suffix.lower() in TORCH_SUFFIXES:
        return _read_checkpoint(path)
    return _read_style(path)


def read_metadata(path: Path) -> dict[str, Any]:
    """What a style file says of itself, without its weights.

    Raises:
        FastTransferError: for a file that is damaged or no style file.
    """
    return _metadata(path, _strings(path))


def read_target(path: Path) -> dict[str, Tensor]:
    """What a style file holds to score its pictures without the style image; nothing in others.

    Raises:
        FastTransferError: for a file that is damaged, or that claims more of this than any style has.
    """
    if path.suffix.lower() in TORCH_SUFFIXES:
        return {}
    _strings(path)
    with _reading(path), safe_open(path, framework="pt") as file:
        names = [key for key in file.keys() if key.startswith(TARGET)]  # noqa: SIM118
        size = sum(math.prod(file.get_slice(name).get_shape()) for name in names)
        if 4 * size > MOST_TARGET:
            raise ValueError(f"its style target is said to have {size} values")
        return {name.removeprefix(TARGET): file.get_tensor(name) for name in names}


def _strings(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file, each value still text."""
    with _reading(path):
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
        if length > MOST_HEADER:
            raise ValueError(f"its header is said to have {length} bytes")
        with safe_open(path, framework="pt") as opened:
            return dict(opened.metadata() or {})


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (SafetensorError, OSError, ValueError) as error:
        raise FastTransferError(
            f"'{path}' is damaged or not a style file ({brief(error)}); {READABLE}."
        ) from error


def _metadata(path: Path, strings: Mapping[str, str]) -> dict[str, Any]:
    try:
        return clean_metadata({key: json.loads(value) for key, value in strings.items()})
    except (ValueError, RecursionError) as error:
        raise FastTransferError(
            f"The metadata of '{path}' cannot be read ({brief(error)}); train or download the style "
            "again."
        ) from error


def _read_style(path: Path) -> tuple[Mapping[str, object], dict[str, Any]]:
    strings = _strings(path)
    with _reading(path), safe_open(path, framework="pt") as file:
        names = [key for key in file.keys() if not key.startswith(TARGET)]  # noqa: SIM118 (no mapping)
        weights = {key: file.get_tensor(key) for key in names}
    if "format_version" not in strings or "network_config" not in strings:
        return _read_foreign(path, weights)
    return weights, _metadata(path, strings)


def _read_checkpoint(path: Path) -> tuple[Mapping[str, object], dict[str, Any]]:
    checkpoint = _unpickle(path)
    if not isinstance(checkpoint, dict) or not {CHECKPOINT_KEY, "state_dict"} <= checkpoint.keys():
        return _read_foreign(path, checkpoint)
    state = checkpoint["state_dict"]
    if not isinstance(state, dict):
        raise FastTransferError(f"'{path}' is damaged: its weights have no names; {READABLE}.")
    weights = {
        key.removeprefix(AVERAGED_WEIGHTS): value
        for key, value in state.items()
        if isinstance(key, str) and key.startswith(AVERAGED_WEIGHTS)
    }
    try:
        return weights, clean_metadata(checkpoint[CHECKPOINT_KEY])
    except ValueError as error:
        raise FastTransferError(
            f"The metadata of '{path}' cannot be read ({brief(error)}); {READABLE}."
        ) from error


def _unpickle(path: Path) -> object:
    """What ``torch.save`` wrote, if that is tensors and plain values."""
    try:
        return read_torch_file(path)
    except Exception as error:  # damaged archives raise nearly anything
        problem = f"is damaged or not a checkpoint ({type(error).__name__})"
        if isinstance(error, CodeError):
            problem = "would have to run code to be read, so it was refused"
        raise FastTransferError(f"'{path}' {problem}; {READABLE}.") from error


def _read_foreign(path: Path, contents: object) -> tuple[Mapping[str, object], dict[str, Any]]:
    try:
        weights, known = translate(contents)
    except ValueError as error:
        raise FastTransferError(
            f"'{path}' is of another program, and not in the layout of {LAYOUT} ({error}); {READABLE}."
        ) from error
    metadata = {"format_version": FORMAT_VERSION, "name": path.stem, "license": "not stated"}
    return weights, metadata | known
