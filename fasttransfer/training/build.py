"""What a training run consists of, made from its settings."""

from functools import partial
from typing import TYPE_CHECKING

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

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

build = partial(instantiate, _convert_="all")  # no class ever sees a DictConfig


def _precision(accelerator: str) -> str:
    from ..core.hardware import training_precision  # with torch, for which --help need not wait

    return training_precision(accelerator)


OmegaConf.register_new_resolver("precision", _precision, replace=True)


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
