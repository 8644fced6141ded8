"""What Hydra and OmegaConf report, as a sentence for a person.

Their exceptions carry the setting in question only inside their text, so this is the one module that
reads it. ``tests/cli/test_hydra_messages.py`` compares it with the installed release, and
pyproject.toml admits only releases with these texts.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from hydra.errors import HydraException, InstantiationException, OverrideParseException
from omegaconf.errors import OmegaConfBaseException

from ..core.assets import config_names
from ..core.errors import brief
from ..core.libraries import not_installed
from ..core.words import did_you_mean


def explain(error: Exception, folder: Path, settings: Callable[[], Sequence[str]]) -> str | None:
    """The sentence for a mistake in the settings, or None for any other exception.

    Args:
        error: what Hydra raised.
        folder: of the configuration, with its groups.
        settings: returns every setting there is; called only when it matters.
    """
    if isinstance(error, InstantiationException):
        return _wrong_argument(error)
    if isinstance(error, OverrideParseException):
        return f"{error.override} is not of the form setting=value; --help lists the settings"
    if isinstance(error, (HydraException, OmegaConfBaseException)):
        return _from_text(str(error), folder, settings)
    return None


def _from_text(text: str, folder: Path, settings: Callable[[], Sequence[str]]) -> str:
    if launcher := re.search(r"Could not find 'hydra/launcher/((?:joblib|submitit)\w*)'", text):
        return not_installed(f"hydra/launcher={launcher[1]}", "a plugin of Hydra", "cluster")
    if unknown := re.match(r"Could not override '([^']+)'", text):
        return no_such_setting(unknown[1], settings())
    if absent := re.search(r"Could not find '([^']+)/([^'/]+)'", text):
        return no_such_choice(absent[1], absent[2], folder)
    if reference := re.match(r"Interpolation key '([^']+)' not found\s+full_key: (\S+)", text):
        return f"{reference[2]} refers to ${{{reference[1]}}}, which is not a setting"
    return " ".join(text.split())


def no_such_setting(name: str, settings: Sequence[str]) -> str:
    """The sentence for a setting that does not exist."""
    own = [one for one in settings if "._" not in one]  # such as optimizer._target_
    hint = did_you_mean(name, own)
    return f"there is no setting {name}; {hint}{' ' if hint else ''}--help lists them"


def no_such_choice(group: str, name: str, folder: Path) -> str:
    """The sentence for a file that a group of settings does not have."""
    known = config_names(group, folder)
    if not known:
        return f"there is no {group}={name}"
    hint = did_you_mean(name, known)
    return f"there is no {group}={name}; {hint}{' ' if hint else ''}choose from {', '.join(known)}"


def _wrong_argument(error: InstantiationException) -> str | None:
    """What a constructor says about its arguments, which come from settings; other faults are ours."""
    cause = error.__cause__
    # Lightning's exception for wrong arguments, by its name: importing it takes seconds.
    is_lightning = type(cause).__name__ == "MisconfigurationException"
    if cause is None or not (isinstance(cause, (ValueError, TypeError)) or is_lightning):
        return None
    key = re.search(r"full_key: (\S+)", str(error))
    return f"{brief(Exception(str(cause)))} (check the settings{f' {key[1]}.…' if key else ''})"
