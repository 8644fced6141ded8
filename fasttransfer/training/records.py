"""What a run writes down of its settings: all of them in its folder, some in its style file."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from torch import Tensor

from ..core.files import write_whole
from ..core.paths import exists, expand_user
from ..images.writing import write_picture
from ..models.style_file import STYLE_IMAGE_FILE, place_of
from .build import TRAINING_PATHS
from .stored_settings import SETTINGS_FILE

# What belongs to a machine or a moment, and not into a style file.
_PRIVATE = ("run_dir", "resume", "logger", "callbacks", "experiment")
_PRIVATE_IN_GROUPS = (("data", "run_dir"), ("trainer", "default_root_dir"))
# What is filled in before the settings are written down: it depends on the machine or the command.
_FOUND_OUT = (
    "trainer.precision",
    "callbacks.style_file.hyper_parameters.network",
    "callbacks.style_file.hyper_parameters.loss",
)


def write_settings(folder: Path, config: DictConfig, style: Tensor) -> None:
    """Writes ``config.yaml``, and the style image (3, H, W) beside it."""
    config = config.copy()
    for key in _FOUND_OUT:
        OmegaConf.update(config, key, OmegaConf.select(config, key))
    for key in TRAINING_PATHS:  # a run may be resumed from another folder
        value = OmegaConf.select(config, key)
        path = expand_user(value or "")
        if value is not None and exists(path):  # else the name of something bundled
            OmegaConf.update(config, key, str(path.resolve()).replace("${", "\\${"))
    text = OmegaConf.to_yaml(config)
    write_whole(folder / SETTINGS_FILE, lambda file: file.write(text.encode()))
    write_picture(folder / STYLE_IMAGE_FILE, style, None, quality=95)


def style_file_settings(config: DictConfig) -> dict[str, Any]:
    """The settings that a style file carries: JSON values without this machine's folders."""
    config = config.copy()
    for path in TRAINING_PATHS:  # a style file is passed on
        if (value := OmegaConf.select(config, path)) is not None:
            OmegaConf.update(config, path, Path(value).name.replace("${", "\\${"))
    settings = OmegaConf.to_container(config, resolve=True)
    assert isinstance(settings, dict)
    for key in _PRIVATE:
        settings.pop(key, None)
    if settings["start"] is not None:
        settings["start"] = place_of(Path(settings["start"]))
    for group, key in _PRIVATE_IN_GROUPS:
        settings[group].pop(key, None)
    return {str(key): value for key, value in settings.items()}
