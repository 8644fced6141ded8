"""Settings that a run has written down, read back as values.

A run folder may come from anybody, so nothing in its ``config.yaml`` may name code. The package's own
YAML decides what is built, and the file gives numbers, words and lists for it. A ``_target_`` in the
file only says which of the package's objects for that place is meant. The command line is trusted,
files are not.
"""

import re
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from ..core.errors import FastTransferError, brief
from ..core.paths import is_file, open_regular
from .old_settings import updated
from .package_settings import Node, package_objects, package_settings, package_texts

SETTINGS_FILE = "config.yaml"
_LARGEST = 100_000  # bytes; ours have 5,000, and a parser takes seconds for a million
_DEEPEST = 50  # lists and mappings inside one another; the package's own have 6
_OPENING = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
# A value may be that of another setting; ${oc.env:NAME} and the like are not resolved in files.
_REFERENCE = re.compile(r"\$\{[A-Za-z_][\w.]*\}")
_RUN_DIR = "${run_dir}"  # where a run writes, which no file may change
_OWN = ("callbacks", "logger")  # taken from the package, but for these values
_VALUES = (
    "callbacks.checkpoints.every_seconds",
    "callbacks.checkpoints.every_n_steps",
    "callbacks.probe.every_seconds",
    "callbacks.style_file.every_seconds",
    "callbacks.style_file.scored",
    "callbacks.style_file.hyper_parameters.network",
    "callbacks.style_file.hyper_parameters.loss",
)


def read_settings(folder: Path, typed: Mapping[str, str]) -> DictConfig:
    """The settings of the run in ``folder``, without any code that its file may name.

    Args:
        folder: a run folder, of anybody.
        typed: what the command line has for a ``_target_``, by its place, such as ``loss``: a file may
            name the same there.

    Raises:
        FastTransferError: a file that is missing, damaged, of something else, or that names code.
    """
    file = folder / SETTINGS_FILE
    found = updated(_load(file))
    own = package_settings()
    lacking = [
        key
        for key, value in own.items()
        if isinstance(value, Mapping) and not isinstance(found.get(key), Mapping)
    ]
    if lacking:
        raise FastTransferError(
            f"'{file}' lacks the settings of {', '.join(lacking)}: it is damaged, or not of a run; "
            "start the run again."
        )
    reader = _Reader(file, typed)
    reader.check_callbacks(found["callbacks"], own["callbacks"])
    config = OmegaConf.create(
        {
            key: deepcopy(value) if key in _OWN else reader.read(key, found.get(key, value))
            for key, value in own.items()
        }
    )
    for key in _VALUES:
        value = _select(found, key)
        if value is None or (isinstance(value, int | float | str) and "${" not in str(value)):
            OmegaConf.update(config, key, value)
    config.run_dir, config.resume = str(folder), None  # it may have been moved
    return config


class _Reader:
    """Takes values out of what a file holds, and refuses the rest."""

    def __init__(self, file: Path, typed: Mapping[str, str]) -> None:
        self.file = file
        self.typed = typed

    def check_callbacks(self, found: Node, own: Node) -> None:
        """Refuses those that are not the package's, which would be left out in silence otherwise."""
        for name in sorted({*map(str, found)} - {*own}):
            raise FastTransferError(
                f"'{self.file}' has callbacks.{name}, which is not of this package, and files may give "
                "values only; delete it there to train without it."
            )

    def read(self, place: str, found: object) -> Any:
        """What is at ``place``, such as ``loss.content_loss``, as values for the package's objects."""
        if (place in package_objects() or place in self.typed) and found is not None:
            return self._object(place, found)
        if isinstance(found, Mapping):
            return self._mapping(place, found)
        if isinstance(found, list):
            return [self.read(f"{place}.{number}", item) for number, item in enumerate(found)]
        if isinstance(found, str):
            self._check_text(place, found)
        return found

    def _object(self, place: str, found: object) -> dict[str, Any]:
        if not isinstance(found, Mapping) or "_target_" not in found:
            raise FastTransferError(
                f"'{self.file}' has no _target_ at {place}: it is damaged; start the run again."
            )
        named = str(found["_target_"])
        values = {key: value for key, value in found.items() if not str(key).startswith("_")}
        alike = [
            node for node in package_objects().get(place, ()) if _is_same(named, node["_target_"])
        ]
        if not alike and named != self.typed.get(place):
            raise FastTransferError(
                f"'{self.file}' names {named} at {place}, which is not of this package, and files may "
                f"give values only; if you trust that code, type {place}._target_={named} as well."
            )
        if not alike:
            own: Node = {key: found[key] for key in found if key in ("_target_", "_partial_")}
        else:
            own = max(alike, key=lambda node: sum(node.get(k) == v for k, v in values.items()))
        fixed = {key: value for key, value in own.items() if _is_fixed(key, value)}
        read = {key: value for key, value in values.items() if key not in fixed}
        return {**deepcopy(own), **self._mapping(place, read)}

    def _mapping(self, place: str, found: Node) -> dict[str, Any]:
        for key in found:
            if not isinstance(key, str) or not key or key.startswith("_"):
                raise FastTransferError(
                    f"'{self.file}' has {key} at {place}, which is no setting; start the run again."
                )
        return {key: self.read(f"{place}.{key}", value) for key, value in found.items()}

    def _check_text(self, place: str, text: str) -> None:
        if _REFERENCE.fullmatch(text) or text in package_texts():
            return
        if any(len(match[1]) % 2 == 0 for match in re.finditer(r"(\\*)\$\{", text)):  # not escaped
            raise FastTransferError(
                f"'{self.file}' has {text} at {place}; files may refer to their own settings only, as "
                "in ${seed}."
            )


def _check_tokens(text: bytes) -> None:
    """Refuses what a short text can keep a parser busy with for hours.

    Raises:
        ValueError: aliases, a few of which unfold to gigabytes, or nesting that no settings have, which
            takes the square of its depth.
    """
    depth = 0
    for token in yaml.scan(text, yaml.SafeLoader):  # one after another, so it ends at the first
        if isinstance(token, yaml.AliasToken):
            raise ValueError("it has aliases")
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")


def _load(file: Path) -> Node:
    if not is_file(file):
        raise FastTransferError(
            f"'{file.parent}' is not a run folder ({SETTINGS_FILE} is missing); give the folder that "
            "train.py made."
        )
    with open_regular(file) as stream:
        text = stream.read(_LARGEST + 1)
    try:
        if len(text) > _LARGEST:
            raise ValueError("it is too large")
        _check_tokens(text)
        found = OmegaConf.to_container(OmegaConf.create(text.decode()), resolve=False)
        if not isinstance(found, dict):
            raise ValueError("it is a list")
    except Exception as error:  # parsers raise nearly anything, RecursionError too
        raise FastTransferError(
            f"'{file}' is damaged, or not of a run ({brief(error)[:80]}); start the run again."
        ) from error
    return {str(key): value for key, value in found.items()}


def _is_same(named: str, own: str) -> bool:
    """Whether both are one class or function; the package's own have moved to other modules since."""
    ours = named.startswith("fasttransfer.") and own.startswith("fasttransfer.")
    return named == own or (ours and _class(named) == _class(own))


def _class(target: str) -> str:
    """``ContentPhotos`` of ``fasttransfer.data.ContentPhotos.of``; of a function its name."""
    parts = target.split(".")
    return next((part for part in parts if part[:1].isupper()), parts[-1])


def _is_fixed(key: str, own: object) -> bool:
    """Whether the package alone says so: how an object is made, what it consists of, where it writes."""
    objects = isinstance(own, list) and any(isinstance(item, Mapping) for item in own)
    return key.startswith("_") or own == _RUN_DIR or (objects and "_target_" in str(own))


def _select(found: object, key: str) -> object:
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
