"""What a training run consists of, made from its settings."""

from functools import partial
from typing import TYPE_CHECKING

from hydra.utils import instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf

from ..core.errors import FastTransferError

if TYPE_CHECKING:
    from .module import StyleTraining


# The settings of training that are names of files.
TRAINING_PATHS = (
    "style.path",
    "data.root",
    "data.probe",
    "vgg.weights",
    "training.styles.paintings",
)

# Those that hold a name, or several.
_NAMES = (*TRAINING_PATHS, "start")

build = partial(instantiate, _convert_="all")  # no class ever sees a DictConfig


def _precision(accelerator: str) -> str:
    from ..core.hardware import training_precision  # with torch, for which --help need not wait

    return training_precision(accelerator)


OmegaConf.register_new_resolver("precision", _precision, replace=True)


def check_names(config: DictConfig) -> None:
    """Raises FastTransferError where a setting that is a name, or several, is anything else."""
    for key in _NAMES:
        value = OmegaConf.select(config, key)
        several = value if isinstance(value, ListConfig) else [value]
        if not all(name is None or isinstance(name, str) for name in several):
            raise FastTransferError(f"{key}={value} must be a name, in YAML with quotes around it.")


def build_training(config: DictConfig, style: str) -> "StyleTraining":
    """What ``config`` trains, before its first step, for the style image at ``style``."""
    training: StyleTraining = build(
        config.training,
        network=build(config.network),
        loss=build(config.loss, features=build(config.vgg)),
        style=build(config.style, path=style),
        optimizer=build(config.optimizer),
        scheduler=build(config.scheduler),
    )
    return training
