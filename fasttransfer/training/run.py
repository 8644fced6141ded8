"""One training run from its settings to its last words.

``config.yaml`` in the run folder holds the settings, with what depended on the machine or on a
measurement filled in. A resumed run gets those back.
"""

import multiprocessing
import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import pytorch_lightning as pl
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.utilities import rank_zero_only
from rich.console import Console

from ..core.assets import BASES, BUNDLED_STYLES
from ..core.errors import FastTransferError
from ..core.hardware import accelerator_device
from ..core.paths import expand_user
from ..core.values import as_list, whole_number
from ..models.blending import BASE_KEY, base_of
from ..models.style_file import LAST_CHECKPOINT, STYLE_IMAGE_FILE
from ..models.transformer_net import fingerprint
from .budget import Pace, in_words, plan, seconds
from .initialization import BASE, starting_style
from .launch import (
    RUN_DIR_VARIABLE,
    check_sweep,
    launched_outside,
    requeued,
    started_by_lightning,
)
from .records import style_file_settings, write_settings
from .replanning import Replanning
from .run_folder import (
    DAMAGED_CHECKPOINT,
    Checkpoint,
    check_writable,
    find_checkpoint,
    is_complete,
    lock_folder,
    new_folder,
)
from .stored_settings import SETTINGS_FILE, read_settings

if TYPE_CHECKING:
    from ..data.datamodule import TrainingPhotos
    from .module import StyleTraining


UNLIMITED = (None, "full")  # budgets that leave it at trainer.max_steps
_CROPS_TO_COMPARE = 4  # photos for which styles are compared, to find the nearest
# Settings that may differ when a run is resumed; any other would make it another run.
CHANGEABLE = (
    "data.root",
    "data.workers",
    "trainer.accelerator",
    "trainer.devices",
    "trainer.log_every_n_steps",
    "logger.save_dir",
    "callbacks.checkpoints.every_n_steps",
    "callbacks.checkpoints.every_seconds",
    "callbacks.probe.every_seconds",
    "callbacks.style_file.every_seconds",
)


class Run:
    """One training run: its settings, its folder and, if it is resumed, its checkpoint.

    Attributes:
        config: the settings.
        folder: the run folder.
        checkpoint: what to go on from, or None.
        is_recorded: whether ``config.yaml`` is written and the number of steps known.
        typed: names of the settings that were typed.
    """

    def __init__(
        self,
        config: DictConfig,
        checkpoint: Checkpoint | None,
        is_recorded: bool,
        typed: Collection[str] = (),
    ) -> None:
        self.config = config
        self.typed = frozenset(typed)
        self.folder = Path(config.run_dir)
        self.checkpoint = checkpoint
        self.is_recorded = is_recorded
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        whole_number("seed", config.seed, least=0, most=2**32 - 1)
        whole_number("trainer.max_steps", config.trainer.max_steps, least=1)
        # A budget may take any number of steps, unless one was typed.
        typed_steps = "trainer.max_steps" in self.typed
        self._most_steps = int(config.trainer.max_steps) if typed_steps else None
        if checkpoint is not None and checkpoint.planned is not None:
            config.trainer.max_steps = checkpoint.planned
        check_writable("run_dir", self.folder)
        check_writable("logger.save_dir", Path(config.logger.save_dir))
        pl.seed_everything(config.seed, verbose=False)

    @classmethod
    def open(cls, config: DictConfig) -> "Run":
        """A new run, or the one that ``config.resume`` names.

        Raises:
            FastTransferError: nothing to resume, a run folder that has a run already, or settings that
                no run can have.
        """
        if multiprocessing.get_start_method() == "loky":  # joblib's, which cannot pass tensors on
            usual = multiprocessing.get_all_start_methods()[0]
            multiprocessing.set_start_method(usual, force=True)
        typed = OverridesParser.create().parse_overrides(list(HydraConfig.get().overrides.task))
        if config.resume is not None:
            return cls._resumed(expand_user(config.resume), typed)
        if started_by_lightning():
            folder = Path(os.environ[RUN_DIR_VARIABLE])
            return cls(read_settings(folder, _typed_targets(typed)), None, is_recorded=True)
        _check_budget(config)
        check_sweep(config)
        config.run_dir = str(new_folder(config))
        folder = Path(config.run_dir)
        # Processes from outside may find the settings that the first of them has just written.
        taken = folder / (LAST_CHECKPOINT if launched_outside() else SETTINGS_FILE)
        if taken.exists() and requeued():
            return cls._resumed(folder, [])
        if taken.exists():
            raise FastTransferError(
                f"The folder '{folder}' holds a run already; go on with it by resume={folder}, or give "
                "another run_dir."
            )
        names = [override.key_or_group for override in typed]
        return cls(config, None, is_recorded=False, typed=names)

    @classmethod
    def _resumed(cls, folder: Path, typed: list[Override]) -> "Run":
        config = read_settings(folder, _typed_targets(typed))
        for override in typed:
            key = override.key_or_group
            if key == "resume" or key.endswith("._target_"):
                continue
            if key not in CHANGEABLE:
                raise FastTransferError(
                    f"{key} cannot be changed in a run that is resumed; leave it out, or start anew."
                )
            OmegaConf.update(config, key, override.value())
        check_sweep(config)
        # Killed before the first checkpoint, it begins again, with its settings and steps.
        run = cls(config, find_checkpoint(folder), is_recorded=True)
        if run.is_trained and is_complete(folder):
            raise FastTransferError(
                f"The run '{folder}' is complete after {run.first_step} steps, as its learning rate was "
                f"planned for; stylize with style={folder}, or start a longer run."
            )
        return run

    @property
    def first_step(self) -> int | None:
        """How many steps the checkpoint has behind it, or None."""
        return None if self.checkpoint is None else self.checkpoint.step

    @property
    def is_trained(self) -> bool:
        """Whether the last step is done; the run is complete once its scores are there, too."""
        steps = self.config.trainer.max_steps
        return self.first_step is not None and self.first_step >= steps

    @property
    def first_unlogged_step(self) -> int | None:
        """From where TensorBoard is to forget what a run that was killed had still logged."""
        return None if self.first_step is None else self.first_step + 1

    @property
    def style(self) -> str:
        """The style image that was asked for or, in a resumed run, the copy in its folder."""
        copy = self.folder / STYLE_IMAGE_FILE
        return str(copy) if self.is_recorded and copy.exists() else str(self.config.style.path)

    def choose_start(self, training: "StyleTraining", photos: "TrainingPhotos") -> None:
        """Takes the weights that training starts with from the style that ``start`` asks for."""
        if self.config.start is None or self.checkpoint is not None:
            return
        crops = photos.first_crops(_CROPS_TO_COMPARE)
        start = as_list(self.config.start)
        style = starting_style(start, training.network, crops, training.objective)
        self.config.start = None
        if style is None:
            self.console.print(
                "no trained style has a network of this shape: starting from random weights"
            )
        elif style.path is not None:
            named = {BUNDLED_STYLES: style.path.stem, BASES: BASE}
            self.config.start = named.get(style.path.parent, str(style.path.resolve()))
            training.start_from(style.network)
            training.metadata[BASE_KEY] = base_of(style) or fingerprint(style.network)
            self.console.print(f"starting from the weights of '{style.name}'")

    def choose_steps(self, training: "StyleTraining", photos: "TrainingPhotos") -> "TrainingPhotos":
        """Sets ``trainer.max_steps`` of a new run to what fits into ``budget``.

        On an accelerator it also chooses the batch size, unless one was typed. For ``full`` it prints
        how long all steps will take.

        Returns:
            ``photos``, in batches of the size that was chosen.
        """
        config, budget = self.config, self.config.budget
        if self.is_recorded or budget is None or (budget == "full" and launched_outside()):
            return photos
        self.console.print(f"measuring how long a step takes, for budget={budget} …")
        device = accelerator_device(config.trainer.accelerator)
        bfloat16 = str(config.trainer.precision).startswith("bf16")
        pace = Pace(training, photos.crop_size, device, bfloat16)
        if budget == "full":
            steps = config.trainer.max_steps
            taken = in_words(steps * pace(photos.batch_size))
            self.console.print(f"{steps} steps will take about {taken}")
            return photos
        may_grow = (
            device.type != "cpu" and photos.batch_size == 1 and "data.batch_size" not in self.typed
        )
        found = plan(seconds(budget), pace, photos.batch_size, may_grow)
        if found.batch_size != photos.batch_size:
            self.console.print(
                f"batches of {found.batch_size} crops cost {device.type} little more"
            )
            config.data.batch_size = found.batch_size
            photos = photos.in_batches(found.batch_size)
        most = self._most_steps
        config.trainer.max_steps = found.steps if most is None else min(most, found.steps)
        if most is not None and found.steps > most:
            config.budget = None  # the steps end the run, not the time
            taken = in_words(most * found.pace)
            self.console.print(f"{most} steps will take about {taken}")
            more = f"in which {found.steps} fit; trainer.max_steps=N allows more"
            self.console.print(f"that is less than budget={budget}, {more}")
        return photos

    def callbacks(self) -> list[pl.Callback]:
        """What fills the time of ``budget``, if that is one."""
        is_old = self.checkpoint is not None and self.checkpoint.planned is None
        if self.config.budget in UNLIMITED or is_old:
            return []
        return [Replanning(seconds(self.config.budget), self._most_steps)]

    def begin(self, training: "StyleTraining") -> None:
        """Takes the run folder, and writes the settings of a new run down.

        Raises:
            FastTransferError: another process is training this run.
        """
        self._lock()
        if not self.is_recorded:
            style = training.style
            self.config.style.name, self.config.style.license = style.name, style.license
            rank_zero_only(write_settings)(self.folder, self.config, style.image[0])
            os.environ[RUN_DIR_VARIABLE] = str(self.folder)
        training.metadata["training"] = style_file_settings(self.config)

    @rank_zero_only
    def _lock(self) -> None:
        self._held = lock_folder(self.folder)  # until the process ends
        last = self.folder / LAST_CHECKPOINT
        if self.checkpoint is not None and self.checkpoint.damage is not None and last.exists():
            last.replace(self.folder / DAMAGED_CHECKPOINT)  # not to become the previous one


def _typed_targets(typed: list[Override]) -> dict[str, str]:
    """Names of code on the command line, which is trusted, by their place in the settings."""
    ending = "._target_"
    return {
        override.key_or_group.removesuffix(ending): str(override.value())
        for override in typed
        if override.key_or_group.endswith(ending)
    }


def _check_budget(config: DictConfig) -> None:
    if config.budget in UNLIMITED:
        return
    seconds(config.budget)  # a mistake is named now
    if launched_outside():
        raise FastTransferError(
            "Several processes were started from outside (torchrun or SLURM), which must agree on the "
            "number of steps; give budget=null and trainer.max_steps=N."
        )
