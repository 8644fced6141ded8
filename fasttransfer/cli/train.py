"""Trains a network for one style image. ``python train.py --help`` says what to type."""

import sys

from omegaconf import DictConfig

from ..training.build import TRAINING_PATHS, build, build_training
from .config import command
from .program import Program

PROGRAM = Program(
    "train",
    texts=(*TRAINING_PATHS, "resume", "run_dir", "start", "style.name", "style.licence"),
    argument="style.path",
)


@command(PROGRAM)
def main(config: DictConfig) -> None:
    """Trains what ``config`` describes; exit code 130 or 143 if Ctrl-C or SIGTERM ended it."""
    from ..training.run import Run, quiet_lightning  # with Lightning, which takes seconds as well

    quiet_lightning()
    run = Run.open(config)
    config = run.config

    training = build_training(config, style=run.style)
    photos = build(config.data)
    run.settle_start(training, photos)
    run.settle_steps(training, photos)

    callbacks = build(config.callbacks)
    trainer = build(
        config.trainer,
        logger=build(config.logger, purge_step=run.first_unlogged_step),
        callbacks=list(callbacks.values()),
    )
    run.begin(training, photos)
    trainer.fit(training, photos, ckpt_path=run.checkpoint, weights_only=True)
    # By a process that was killed before its pictures and scores; then Lightning only reads the weights.
    if run.trained:
        for name in ("probe", "style_file"):
            callbacks[name].on_train_end(trainer, training)

    complete = trainer.global_step >= trainer.max_steps
    stopped_by = None if complete else callbacks["checkpoints"].stopped_by
    run.end(trainer.global_step, stopped_by)
    trainer.strategy.barrier()
    # Lightning ends the first process at once where another one ends with an error.
    if stopped_by is not None and trainer.is_global_zero:
        sys.exit(128 + stopped_by)


if __name__ == "__main__":
    main()
