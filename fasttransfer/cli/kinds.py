"""Whether values are of the kind that their settings have.

``overwrite=no`` would be a word, and so true.
"""

import re

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, ListConfig, OmegaConf

from ..core.errors import FastTransferError
from .program import Program, Typed


def fit_kinds(config: DictConfig, program: Program, typed: Typed) -> None:
    """Checks what was typed against the defaults; a single value for a list becomes a list of one.

    Settings of Lightning's trainer may be of several kinds, so they are left to Lightning.

    Raises:
        FastTransferError: a value of another kind.
    """
    overrides = OverridesParser.create().parse_overrides(list(HydraConfig.get().overrides.task))
    groups = [one for one in overrides if program.is_group(one.key_or_group)]
    own = {
        one.key_or_group: str(one.input_line).partition("=")[2]
        for one in overrides
        if one not in groups and not one.is_add() and not one.is_delete()
    }
    own |= {key: str(value) for key, value in typed.values.items()}
    own = {key: text for key, text in own.items() if not key.startswith(("trainer.", "hydra."))}
    if not own:
        return
    defaults = program.defaults([str(one.input_line) for one in groups])
    for key, text in own.items():
        default = OmegaConf.select(defaults, key, throw_on_resolution_failure=False)
        value = OmegaConf.select(config, key)
        if isinstance(default, ListConfig) and isinstance(value, str | int | float):
            OmegaConf.update(config, key, [value])
            value = OmegaConf.select(config, key)
        if isinstance(default, DictConfig) and not isinstance(value, DictConfig | None):
            first = next((str(name) for name in default if not str(name).startswith("_")), "…")
            raise FastTransferError(
                f"{key} has settings of its own; write {key}.{first}={text}, for instance."
            )
        expected = _expected(value, default)
        if expected is not None:
            number = re.fullmatch(r"\[?(-?\d+),\s*(\d+)\]?", text)
            hint = f"; write {number[1]}.{number[2]}" if number and expected == "a number" else ""
            raise FastTransferError(f"{key}={text.strip('[]')} must be {expected}{hint}.")


def _expected(value: object, default: object) -> str | None:
    """What a value should have been, or None if it is of the kind of the default."""
    if isinstance(default, bool):
        return None if isinstance(value, bool) else "true or false"
    if isinstance(default, int | float):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return None if is_number or value is None else "a number"
    if isinstance(default, ListConfig) and len(default):
        if not isinstance(value, ListConfig):
            return "a list"
        wrong = [_expected(item, default[0]) for item in value]
        return "a list of numbers" if "a number" in wrong else None
    return None
