"""The run folder: where a training run keeps its settings, and from where it goes on.

``config.yaml`` holds the settings, with what depended on the machine or on a measurement filled in.
Who resumes a run gets those back.
"""

import logging
import multiprocessing
import os
import shlex
import sys
import time
import warnings
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl
import torch
from filelock import FileLock, Timeout
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.utilities import rank_zero_only
from rich.console import Console
from torch import Tensor

from ..core.assets import BASES, BUNDLED_STYLES
from ..core.errors import FastTransferError
from ..core.files import fresh_folder, write_whole
from ..core.hardware import accelerator_device
from ..core.values import as_list
from ..images.writing import write_picture
from ..models.style_file import (
    LAST_CHECKPOINT,
    STYLE_FILE,
    STYLE_IMAGE_FILE,
    is_scored,
)
from .budget import in_words, seconds, seconds_a_step
from .build import TRAINING_PATHS
from .initialization import BASE, starting_style
from .launch import (
    RUN_DIR_VARIABLE,
    check_sweep,
    in_sweep,
    launched_outside,
    requeued,
    started_by_lightning,
)

if TYPE_CHECKING:
    from ..data.datamodule import ContentPhotos
    from .module import StyleTraining


SETTINGS_FILE = "config.yaml"
LOCK_FILE = ".lock"  # held while it is trained
UNLIMITED = (None, "full")  # budgets that leave it at trainer.max_steps
_CROPS_TO_COMPARE = 4  # photos for which styles are compared, to find the nearest
# Settings that may differ when a run is resumed; any other would make it another run.
CHANGEABLE = (
    "data.root",
    "data.workers",
    "trainer.accelerator",
    "trainer.devices",
    "trainer.log_every_n_steps",
    "callbacks.checkpoints.every_n_steps",
    "callbacks.checkpoints.every_seconds",
    "callbacks.probe.every_seconds",
    "callbacks.style_file.every_seconds",
)
# What belongs to a machine or a moment, and not into a style file.
PRIVATE = ("run_dir", "resume", "logger", "callbacks", "experiment")
# What is filled in before the settings are written down.
FOUND_OUT = (
    "trainer.precision",
    "callbacks.style_file.hyper_parameters.network",
    "callbacks.style_file.hyper_parameters.loss",
)


class Run:
    """One training run: its settings, its folder and, if it is resumed, its checkpoint.

    Attributes:
        config: the settings.
        checkpoint: path of the checkpoint to go on from, or None.
        first_step: how many steps that checkpoint has behind it, or None.
    """

    def __init__(self, config: DictConfig, checkpoint: Path | None, settled: bool) -> None:
        self.config = config
        self.folder = Path(config.run_dir)
        self.checkpoint = checkpoint
        self.first_step = _step_of(checkpoint) if checkpoint else None
        self.settled = settled  # whether config.yaml is written and the number of steps known
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        pl.seed_everything(config.seed, verbose=False)

    @classmethod
    def open(cls, config: DictConfig) -> "Run":
        """A new run, or the one that ``config.resume`` names.

        Raises:
            FastTransferError: nothing to resume, or a run folder that has a run already.
        """
        if multiprocessing.get_start_method() == "loky":  # joblib's, which cannot pass tensors on
            usual = multiprocessing.get_all_start_methods()[0]
            multiprocessing.set_start_method(usual, force=True)
        if config.resume is not None:
            typed = list(HydraConfig.get().overrides.task)
            return cls._resumed(Path(config.resume).expanduser(), typed)
        if started_by_lightning():
            return cls(_read_settings(Path(os.environ[RUN_DIR_VARIABLE])), None, settled=True)
        _check_length(config)
        _check_seed(config.seed)
        check_sweep(config)
        if config.run_dir is None and in_sweep():
            config.run_dir = HydraConfig.get().runtime.output_dir
        if config.run_dir is None:
            if launched_outside():
                raise FastTransferError(
                    "Several processes were started from outside (torchrun or SLURM), which must "
                    "agree on their folder; give run_dir=runs/NAME."
                )
            name = str(config.style.name or Path(config.style.path).stem)
            plain = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)  # needs no quotes
            config.run_dir = str(
                fresh_folder(Path("runs") / f"{plain}-{time.strftime('%Y%m%d-%H%M%S')}")
            )
        config.run_dir = str(Path(config.run_dir).expanduser())
        folder = Path(config.run_dir)
        _check_folder(folder)
        # Processes from outside may find the settings that the first of them has just written.
        taken = folder / (LAST_CHECKPOINT if launched_outside() else SETTINGS_FILE)
        if taken.exists() and requeued():
            return cls._resumed(folder, [])
        if taken.exists():
            raise FastTransferError(
                f"The folder '{folder}' holds a run already; go on with it by resume={folder}, or give "
                "another run_dir."
            )
        return cls(config, None, settled=False)

    @classmethod
    def _resumed(cls, folder: Path, typed: list[str]) -> "Run":
        config = _read_settings(folder)
        for override in OverridesParser.create().parse_overrides(typed):
            key = override.key_or_group
            if key == "resume":
                continue
            if key not in CHANGEABLE:
                raise FastTransferError(
                    f"{key} cannot be changed in a run that is resumed; leave it out, or start anew."
                )
            OmegaConf.update(config, key, override.value())
        check_sweep(config)
        checkpoint = folder / LAST_CHECKPOINT
        # Killed before the first checkpoint, it begins again, with its settings and steps.
        run = cls(config, checkpoint if checkpoint.is_file() else None, settled=True)
        if run.trained and is_complete(folder):
            raise FastTransferError(
                f"The run '{folder}' is complete after {run.first_step} steps, as its learning rate was "
                f"planned for; stylize with style={folder}, or start a longer run."
            )
        return run

    @property
    def trained(self) -> bool:
        """Whether the last step is done; the run is complete once its scores are there, too."""
        steps = self.config.trainer.max_steps
        return self.first_step is not None and self.first_step >= steps

    @property
    def first_unlogged_step(self) -> int | None:
        """From where TensorBoard is to forget what a run that was killed had still logged."""
        return None if self.first_step is None else self.first_step + 1

    @property
    def style(self) -> str:
        """The style image: what the person named or, for a resumed run, the copy in its folder."""
        copy = self.folder / STYLE_IMAGE_FILE
        return str(copy) if self.settled and copy.exists() else str(self.config.style.path)

    def settle_start(self, training: "StyleTraining", photos: "ContentPhotos") -> None:
        """Takes the weights that training starts with from the style that ``start`` asks for."""
        if self.config.start is None or self.checkpoint is not None:
            return
        crops = photos.first_crops(_CROPS_TO_COMPARE)
        start = ",".join(as_list(self.config.start))
        style = starting_style(start, training.network, crops, training.objective)
        self.config.start = None
        if style is None:
            self.console.print(
                "no trained style has a network of this shape: starting from nothing"
            )
        elif style.path is not None:
            named = {BUNDLED_STYLES: style.path.stem, BASES: BASE}
            self.config.start = named.get(style.path.parent, str(style.path.resolve()))
            training.start_from(style.network)
            self.console.print(f"starting from the weights of '{style.name}'")

    def settle_steps(self, training: "StyleTraining", photos: "ContentPhotos") -> None:
        """Sets ``trainer.max_steps`` of a new run to what ``budget`` allows, if that is less; of
        ``full`` it tells how long all steps will take."""
        budget = self.config.budget
        if self.settled or budget is None or (budget == "full" and launched_outside()):
            return
        self.console.print(f"measuring how long a step takes, for budget={budget} …")
        device = accelerator_device(self.config.trainer.accelerator)
        batch = torch.rand(photos.batch_size, 3, photos.crop_size, photos.crop_size)
        bfloat16 = str(self.config.trainer.precision).startswith("bf16")
        pace = seconds_a_step(training, batch, device, bfloat16)
        steps = self.config.trainer.max_steps
        allowed = steps if budget == "full" else max(1, int(seconds(budget) / pace))
        self.config.trainer.max_steps = min(steps, allowed)
        if budget == "full" or allowed > steps:
            self.console.print(f"{steps} steps will take about {in_words(steps * pace)}")
        if allowed > steps:
            more = f"in which {allowed} fit; trainer.max_steps=N allows more"
            self.console.print(f"that is less than budget={budget}, {more}")

    def begin(self, training: "StyleTraining", photos: "ContentPhotos") -> None:
        """Writes the settings of a new run down and says what is coming.

        Raises:
            FastTransferError: another process is training this run.
        """
        self._lock()
        if not self.settled:
            self.config.style.name, self.config.style.licence = (
                training.style.name,
                training.style.licence,
            )
            self._write(training.style.image[0])
            os.environ[RUN_DIR_VARIABLE] = str(self.folder)
        training.metadata["training"] = self.settings()
        self._announce(training, photos)

    def settings(self) -> dict[str, Any]:
        """What a style file tells of its training: JSON values without this machine's folders."""
        config = self.config.copy()
        for path in TRAINING_PATHS:  # a style file is passed on
            if (value := OmegaConf.select(config, path)) is not None:
                OmegaConf.update(config, path, Path(value).name)
        settings = OmegaConf.to_container(config, resolve=True)
        assert isinstance(settings, dict)
        for key in PRIVATE:
            settings.pop(key, None)
        if settings["start"] is not None:
            start = Path(settings["start"])
            settings["start"] = start.parent.name if start.name == STYLE_FILE else start.stem
        for group, key in (("data", "run_dir"), ("trainer", "default_root_dir")):
            settings[group].pop(key, None)
        return {str(key): value for key, value in settings.items()}

    @rank_zero_only
    def _lock(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._held = FileLock(self.folder / LOCK_FILE)  # until the process ends, however it does
        try:
            self._held.acquire(timeout=0)
        except Timeout as error:
            raise FastTransferError(
                f"The run '{self.folder}' is being trained by another process; wait for its end, or "
                "stop it."
            ) from error

    @rank_zero_only
    def _write(self, style: Tensor) -> None:
        config = self.config.copy()
        for key in FOUND_OUT:
            OmegaConf.update(config, key, OmegaConf.select(config, key))
        for key in TRAINING_PATHS:  # a run may be resumed from another folder
            value = OmegaConf.select(config, key)
            path = Path(value or "").expanduser()
            if value is not None and path.exists():  # else the name of something bundled
                OmegaConf.update(config, key, str(path.resolve()))
        text = OmegaConf.to_yaml(config)
        write_whole(self.folder / SETTINGS_FILE, lambda file: file.write(text.encode()))
        write_picture(self.folder / STYLE_IMAGE_FILE, style, None, quality=95)

    @rank_zero_only
    def _announce(self, training: "StyleTraining", photos: "ContentPhotos") -> None:
        start = f"from step {self.first_step} " if self.first_step else ""
        self.console.print(
            f"training '{training.style.name}' on {photos.number} photos {start}to step "
            f"{self.config.trainer.max_steps} in {self.folder}/ (watch preview.png there, or "
            f"tensorboard --logdir {shlex.quote(str(self.folder.parent))})"
        )
        if photos.skipped:
            self.console.print(
                f"{len(photos.skipped)} unusable photos are left out and named in {photos.report}"
            )

    @rank_zero_only
    def end(self, steps: int, stopped_by: Signals | None) -> None:
        """Says what to type next."""
        folder = shlex.quote(str(self.folder))
        if Path(sys.argv[0]).name == "train.py":
            resume = f"python train.py resume={folder}"
            stylize = f"python infer.py style={folder} input=photo.jpg output=stylized.jpg"
        else:
            resume = f"fasttransfer train --resume {folder}"
            stylize = f"fasttransfer stylize photo.jpg --style {folder} -o stylized.jpg"
        if stopped_by is not None:
            self.console.print(f"stopped at step {steps}; continue with: {resume}")
            return
        print(f"{self.folder / STYLE_FILE} is ready; stylize a photo with:\n{stylize}")


def is_complete(folder: Path) -> bool:
    """Whether the run in ``folder`` has come to its end: only then has its style file the scores."""
    return is_scored(folder / STYLE_FILE)


def quiet_lightning() -> None:
    """Keeps away Lightning's advertisements and those of its warnings that do not hold here."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    for message in (
        ".*does not have many workers.*",  # on two cores reading takes a hundredth of a step
        ".*module.*in eval mode at the start.*",  # the frozen loss network is meant to be
        ".*srun.*command is available.*",  # on the login node of a cluster
        ".*LeafSpec.*is deprecated.*",  # between Lightning and torch
    ):
        warnings.filterwarnings("ignore", message=message)


def _check_length(config: DictConfig) -> None:
    steps = config.trainer.max_steps
    if not isinstance(steps, int) or steps < 1:
        raise FastTransferError(f"trainer.max_steps={steps} must be a whole number from 1 on.")
    if config.budget in UNLIMITED:
        return
    seconds(config.budget)  # a mistake is told now
    if launched_outside():
        raise FastTransferError(
            "Several processes were started from outside (torchrun or SLURM), which must agree on the "
            "number of steps; give budget=null and trainer.max_steps=N."
        )


def _check_seed(seed: object) -> None:
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise FastTransferError(f"seed={seed} must be a whole number from 0 to {2**32 - 1}.")


def _check_folder(folder: Path) -> None:
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise FastTransferError(
            f"run_dir={folder} cannot be a folder, as '{there}' is a file; give another run_dir."
        )


def new_or_resumed(folder: Path, settings: list[str]) -> list[str]:
    """What train.py is told: ``settings`` for a new run in ``folder``, or to go on with that there."""
    return [f"resume={folder}"] if (folder / SETTINGS_FILE).is_file() else settings


def _read_settings(folder: Path) -> DictConfig:
    file = folder / SETTINGS_FILE
    if not file.is_file():
        raise FastTransferError(
            f"'{folder}' is not a run folder ({SETTINGS_FILE} is missing); give the folder that "
            "train.py made."
        )
    config = OmegaConf.load(file)
    assert isinstance(config, DictConfig)
    config.run_dir = str(folder)  # it may have been moved
    return config


def _step_of(checkpoint: Path) -> int:
    try:
        return int(torch.load(checkpoint, map_location="cpu", weights_only=True)["global_step"])
    except Exception as error:  # damaged archives raise nearly anything
        raise FastTransferError(
            f"The checkpoint '{checkpoint}' is damaged ({type(error).__name__}); start the run again."
        ) from error
