"""Trains a network for one style image. ``python train.py --help`` says what to type."""

import sys

from omegaconf import DictConfig

from ..core.errors import FastTransferError
from ..training.build import TRAINING_PATHS, build, build_training, check_names
from ..training.launch import forget_empty_variables
from .config import command
from .program import Program

PROGRAM = Program(
    "train",
    texts=(*TRAINING_PATHS, "resume", "run_dir", "start", "style.name", "style.license"),
    lists=("start",),
    argument="style.path",
)


@command(PROGRAM)
def main(config: DictConfig) -> None:
    """Trains what ``config`` describes; exit code 130 or 143 if Ctrl-C or SIGTERM ended it."""
    forget_empty_variables()
    from ..training.announcements import announce_end, announce_start
    from ..training.fitting import fit, quiet_lightning  # with Lightning, which takes seconds too
    from ..training.run import Run

    quiet_lightning()
    run = Run.open(config)
    config = run.config
    check_names(config)

    training = build_training(config, style=run.style)
    photos = build(config.data)
    run.choose_start(training, photos)
    photos = run.choose_steps(training, photos)

    callbacks = build(config.callbacks)
    trainer = build(
        config.trainer,
        logger=build(config.logger, purge_step=run.first_unlogged_step),
        callbacks=[*run.callbacks(), *callbacks.values()],
    )
    stop = callbacks["checkpoints"].stop
    stop.take_over()  # nothing of what comes now may be lost, however long it takes
    try:
        run.begin(training)
        announce_start(run, photos)
        fit(trainer, training, photos, run.checkpoint.path if run.checkpoint else None)
        # By a process that was killed before its pictures and scores; then Lightning only reads weights.
        if run.is_trained:
            for name in ("probe", "style_file"):
                callbacks[name].on_train_end(trainer, training)
    finally:
        stop.give_back()

    trainer.strategy.barrier()
    problems = [callbacks[name].problem for name in ("checkpoints", "style_file")]
    if any(problems):
        raise FastTransferError(next(filter(None, problems)))
    stopped_by = None if trainer.global_step >= trainer.max_steps else stop.signal
    announce_end(run, trainer.global_step, stopped_by)
    # Lightning ends the first process at once where another one ends with an error.
    if stopped_by is not None and trainer.is_global_zero:
        sys.exit(128 + stopped_by)


if __name__ == "__main__":
    main()
