"""Trains a network for one style image. ``python train.py --help`` says what to type."""

import sys
from functools import partial

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from .config import command
from .hardware import training_precision

build = partial(instantiate, _convert_="all")  # no class ever sees a DictConfig
OmegaConf.register_new_resolver("precision", training_precision, replace=True)


@command("train", paths=("style.path", "data.root", "data.probe", "resume", "run_dir"))
def main(config: DictConfig) -> None:
    """Trains what ``config`` describes; exit code 130 or 143 if Ctrl-C or SIGTERM ended it."""
    from .run import (  # with Lightning, seconds to import: --help can do without
        Run,
        quiet_lightning,
    )

    quiet_lightning()
    run = Run.open(config)
    config = run.config

    style = build(config.style)
    network = build(config.network)
    loss = build(config.loss, features=build(config.vgg))
    training = build(
        config.training,
        network=network,
        loss=loss,
        style=style,
        optimizer=build(config.optimizer),
        scheduler=build(config.scheduler),
    )
    photos = build(config.data)
    run.begin(training, photos)

    callbacks = build(config.callbacks)
    trainer = build(
        config.trainer,
        logger=build(config.logger, purge_step=run.first_step),
        callbacks=list(callbacks.values()),
    )
    trainer.fit(training, photos, ckpt_path=run.checkpoint, weights_only=True)

    stopped_by = callbacks["checkpoints"].stopped_by
    run.end(trainer, stopped_by)
    if stopped_by is not None:
        sys.exit(128 + stopped_by)
