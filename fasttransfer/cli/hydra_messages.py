"""What Hydra and OmegaConf report, as a sentence for a person.

Their exceptions carry the setting in question only inside their text, so this is the one module that
reads it. ``tests/cli/test_hydra_messages.py`` compares it with the installed release, and
pyproject.toml admits only releases with these texts.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from hydra.errors import HydraException, InstantiationException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ..core.assets import CONF_DIR, config_names
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
        return no_such_setting(unknown[1], settings(), folder)
    if absent := re.search(r"Could not find '([^']+)/([^'/]+)'", text):
        return no_such_choice(absent[1], absent[2], config_names(absent[1], folder))
    if reference := re.match(r"Interpolation key '([^']+)' not found\s+full_key: (\S+)", text):
        return f"{reference[2]} refers to ${{{reference[1]}}}, which is not a setting"
    return " ".join(text.split())


def no_such_setting(name: str, settings: Sequence[str], folder: Path) -> str:
    """The sentence for a setting that does not exist."""
    if elsewhere := setting_of_training(name, folder):
        return f"there is no setting {name} here; {elsewhere}"
    own = [one for one in settings if "._" not in one]  # such as optimizer._target_
    hint = did_you_mean(name, own)
    return f"there is no setting {name}; {hint}{' ' if hint else ''}--help lists them"


def setting_of_training(name: str, folder: Path) -> str:
    """Says of a setting that a program lacks that training has it; empty if it has not.

    Args:
        name: of the setting.
        folder: of the program's configuration.
    """
    group, _, rest = name.partition(".")
    if folder == CONF_DIR or not re.fullmatch(r"[\w.]+", name):
        return ""
    files = (CONF_DIR / group).glob("*.yaml") if rest else [CONF_DIR / "train.yaml"]
    for file in files:
        settings = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
        for part in (rest or name).split("."):
            settings = settings.get(part, ...) if isinstance(settings, dict) else ...
        if settings is not ...:
            return f"{name}= is a setting of training: fasttransfer train, or python train.py"
    return ""


def no_such_choice(group: str, name: str, known: Sequence[str]) -> str:
    """The sentence for a file that a group of settings does not have."""
    if not known:
        return f"there is no {group}={name}"
    hint = did_you_mean(name, known)
    return f"there is no {group}={name}; {hint}{' ' if hint else ''}choose from {', '.join(known)}"


def _wrong_argument(error: InstantiationException) -> str | None:
    """What a constructor says about its arguments, which come from settings; other faults are ours."""
    cause = error.__cause__
    # Lightning's exception for wrong arguments, by its name: importing it takes seconds.
    is_lightning = type(cause).__name__ == "MisconfigurationException"
    about_values = isinstance(cause, ValueError | TypeError | OverflowError)
    if cause is None or not (about_values or is_lightning):
        return None
    key = re.search(r"full_key: (\S+)", str(error))
    return f"{brief(Exception(str(cause)))} (check the settings{f' {key[1]}.…' if key else ''})"
