"""The run folder: where a training run keeps its settings, and from where it goes on.

``config.yaml`` holds the settings, with everything resolved that depended on the machine or the
clock. Who resumes a run gets those back.
"""

import logging
import os
import time
import warnings
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf, open_dict
from pytorch_lightning.utilities import rank_zero_only
from rich.console import Console
from torch import Tensor

from .budget import seconds, steps_within
from .checkpoint import LAST_CHECKPOINT, STYLE_FILE, STYLE_IMAGE_FILE
from .errors import FastTransferError
from .hardware import pick_device
from .images import write_picture, write_whole

if TYPE_CHECKING:
    from .data import ContentPhotos
    from .module import StyleTraining

SETTINGS_FILE = "config.yaml"
# How Lightning's DDP tells the processes that it starts from this one where the run is.
RUN_DIR_VARIABLE = "FASTTRANSFER_RUN_DIR"
# What belongs to a machine or a moment, and not into a style file that is passed on.
PRIVATE = ("run_dir", "resume", "logger", "callbacks", "experiment")


class Run:
    """One training run: its settings, its folder and, if it is resumed, its checkpoint.

    Attributes:
        config: the settings; only numbers, strings, lists and mappings once ``begin`` was called.
        checkpoint: path of the checkpoint to go on from, or None.
        first_step: how many steps that checkpoint has behind it, or None.
    """

    def __init__(self, config: DictConfig, checkpoint: Path | None) -> None:
        self.config = config
        self.folder = Path(config.run_dir)
        self.checkpoint = checkpoint
        self.first_step = _step_of(checkpoint) if checkpoint else None
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        pl.seed_everything(config.seed, verbose=False)

    @classmethod
    def open(cls, config: DictConfig) -> "Run":
        """A new run, or the one that ``config.resume`` names.

        Raises:
            FastTransferError: nothing to resume, or a run folder that is in use.
        """
        if config.resume is not None:
            return cls._resumed(Path(config.resume))
        if _started_by_lightning():
            return cls(_read_settings(Path(os.environ[RUN_DIR_VARIABLE])), None)
        if config.budget is not None:
            seconds(config.budget)  # a mistake is told now
        if config.run_dir is None:
            if _launched_outside():
                raise FastTransferError(
                    "Several processes were started from outside (torchrun or SLURM), which must "
                    "agree on their folder; give run_dir=runs/NAME."
                )
            name = config.style.name or Path(config.style.path).stem
            config.run_dir = str(_fresh(Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"))
        elif (Path(config.run_dir) / SETTINGS_FILE).exists() and not _launched_outside():
            raise FastTransferError(
                f"The folder '{config.run_dir}' holds a run already; go on with it by "
                f"resume={config.run_dir}, or give another run_dir."
            )
        if config.budget is not None and _launched_outside():
            raise FastTransferError(
                "Several processes were started from outside (torchrun or SLURM), which must agree "
                "on the number of steps; give budget=null and trainer.max_steps=N."
            )
        return cls(config, None)

    @classmethod
    def _resumed(cls, folder: Path) -> "Run":
        config = _read_settings(folder)
        checkpoint = folder / LAST_CHECKPOINT
        if not checkpoint.is_file():
            raise FastTransferError(
                f"The run '{folder}' ended before its first checkpoint; start it again."
            )
        for override in OverridesParser.create().parse_overrides(
            list(HydraConfig.get().overrides.task)
        ):
            key = override.key_or_group
            if key == "resume":
                continue
            if OmegaConf.is_missing(config, key) or OmegaConf.select(config, key) is None:
                raise FastTransferError(
                    f"{key} cannot be changed in a run that is resumed; leave it out, or start anew."
                )
            OmegaConf.update(config, key, override.value())
        config.run_dir = str(folder)  # it may have been moved
        return cls(config, checkpoint)

    def settings(self) -> dict[str, Any]:
        """What a style file tells of its training: JSON values without this machine's folders."""
        settings = OmegaConf.to_container(self.config, resolve=True)
        assert isinstance(settings, dict)
        for key in PRIVATE:
            settings.pop(key, None)
        for group, key in (("style", "path"), ("data", "root"), ("data", "probe")):
            settings[group][key] = Path(settings[group][key]).name
        for group, key in (("data", "run_dir"), ("trainer", "default_root_dir")):
            settings[group].pop(key, None)
        return {str(key): value for key, value in settings.items()}

    def begin(self, training: "StyleTraining", photos: "ContentPhotos") -> None:
        """Settles the number of steps, writes the settings down and says what is coming."""
        if self.checkpoint is None and not _started_by_lightning():
            self._settle_steps(training, photos)
            self._write_settings(training.style.image[0])
            os.environ[RUN_DIR_VARIABLE] = str(self.folder)
        training.metadata["training"] = self.settings()
        self._announce(training, photos)

    def _settle_steps(self, training: "StyleTraining", photos: "ContentPhotos") -> None:
        if self.config.budget is None:
            return
        self.console.print(f"measuring how many steps fit into budget={self.config.budget} …")
        accelerator = self.config.trainer.accelerator
        device = pick_device({"gpu": "cuda"}.get(accelerator, accelerator))
        batch = torch.rand(photos.batch_size, 3, photos.crop_size, photos.crop_size)
        bfloat16 = str(self.config.trainer.precision).startswith("bf16")
        steps = steps_within(self.config.budget, training, batch, device, bfloat16)
        self.config.trainer.max_steps = min(steps, self.config.trainer.max_steps)

    @rank_zero_only
    def _write_settings(self, style: Tensor) -> None:
        text = OmegaConf.to_yaml(self.config, resolve=True)
        write_whole(self.folder / SETTINGS_FILE, lambda file: file.write(text.encode()))
        write_picture(self.folder / STYLE_IMAGE_FILE, style, None, quality=95)

    @rank_zero_only
    def _announce(self, training: "StyleTraining", photos: "ContentPhotos") -> None:
        start = f"from step {self.first_step} " if self.first_step else ""
        steps = self.config.trainer.max_steps
        self.console.print(
            f"training '{training.style.name}' on {len(photos.paths)} photos {start}to step {steps} "
            f"in {self.folder}/ (watch preview.png there, or tensorboard --logdir {self.folder.parent})"
        )
        if photos.skipped:
            self.console.print(
                f"{len(photos.skipped)} unusable photos are left out and named in {photos.report}"
            )

    @rank_zero_only
    def end(self, trainer: pl.Trainer, stopped_by: Signals | None) -> None:
        """Says what to type next."""
        if stopped_by is not None:
            self.console.print(
                f"stopped at step {trainer.global_step}; go on with: python train.py "
                f"resume={self.folder}"
            )
            return
        print(
            f"{self.folder / STYLE_FILE} is ready; stylize a photo with:\n"
            f"python infer.py style={self.folder} input=photo.jpg output=stylized.jpg"
        )


def quiet_lightning() -> None:
    """Keeps Lightning's warnings, less those that do not hold here, and its advertisements away."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    for message in (
        ".*does not have many workers.*",  # on two cores reading takes a hundredth of a step
        ".*module.*in eval mode at the start.*",  # the frozen loss network is meant to be
        ".*LeafSpec.*is deprecated.*",  # between Lightning and torch
    ):
        warnings.filterwarnings("ignore", message=message)


def _read_settings(folder: Path) -> DictConfig:
    file = folder / SETTINGS_FILE
    if not file.is_file():
        raise FastTransferError(
            f"'{folder}' is not a run folder ({SETTINGS_FILE} is missing); give the folder that "
            "train.py made."
        )
    config = OmegaConf.load(file)
    assert isinstance(config, DictConfig)
    with open_dict(config):
        config.run_dir = str(folder)
    return config


def _step_of(checkpoint: Path) -> int:
    try:
        return int(torch.load(checkpoint, map_location="cpu", weights_only=True)["global_step"])
    except Exception as error:  # damaged archives raise nearly anything
        raise FastTransferError(
            f"The checkpoint '{checkpoint}' is damaged ({type(error).__name__}); start the run again."
        ) from error


def _started_by_lightning() -> bool:
    """Whether this process is one that Lightning started beside the first."""
    return RUN_DIR_VARIABLE in os.environ and int(os.environ.get("LOCAL_RANK", 0)) != 0


def _launched_outside() -> bool:
    return any(name in os.environ for name in ("TORCHELASTIC_RUN_ID", "SLURM_NTASKS"))


def _fresh(folder: Path) -> Path:
    """``folder``, or with a number behind it if there is one of that name already."""
    candidates = [folder, *(folder.with_name(f"{folder.name}-{n}") for n in range(2, 1000))]
    return next(candidate for candidate in candidates if not candidate.exists())
