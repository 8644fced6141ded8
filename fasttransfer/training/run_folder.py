"""The run folder: its contents, its current user, and the checkpoint that a run resumes from."""

import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from ..core.errors import FastTransferError, brief
from ..core.files import fresh_folder
from ..core.locks import Held, hold
from ..core.paths import exists, expand_user, is_file
from ..core.scratch import scratch_folder
from ..models.style_file import CHECKPOINT_KEY, LAST_CHECKPOINT, STYLE_FILE, is_scored
from ..models.torch_files import load_checked
from .launch import in_sweep, launched_outside
from .stored_settings import SETTINGS_FILE

PLANNED_STEPS = "planned_steps"  # in a checkpoint: of the whole run, as last planned
LOCK_FILE = ".lock"  # held while the run is trained
PREVIOUS_CHECKPOINT = LAST_CHECKPOINT.with_name("previous.ckpt")
DAMAGED_CHECKPOINT = LAST_CHECKPOINT.with_name("damaged.ckpt")


@dataclass(frozen=True)
class Checkpoint:
    """The checkpoint that a run resumes from.

    Attributes:
        path: of the file.
        step: the steps done so far.
        planned: the steps of the whole run, if they were planned anew; else None.
        damage: a sentence about why it is not the last one; None if it is.
    """

    path: Path
    step: int
    planned: int | None = None
    damage: str | None = None


def find_checkpoint(folder: Path) -> Checkpoint | None:
    """The last checkpoint of a run, or the one before if that is damaged; None if there is none.

    Raises:
        FastTransferError: all checkpoints are damaged.
    """
    problems = []
    for name in (LAST_CHECKPOINT, PREVIOUS_CHECKPOINT):
        path = folder / name
        if not os.path.lexists(path):
            continue
        try:
            step, planned = _steps_of(path)
        except Exception as error:  # damaged archives raise nearly anything
            problems.append(f"'{path}' is damaged ({type(error).__name__}: {brief(error)[:80]})")
            continue
        return Checkpoint(path, step, planned, "; ".join(problems) or None)
    if problems:
        raise FastTransferError(f"The checkpoint {'; '.join(problems)}; start the run again.")
    return None


def _steps_of(path: Path) -> tuple[int, int | None]:
    """Steps done and planned of a checkpoint, after checking that it holds all that is resumed from."""
    found = load_checked(path)
    if not all(isinstance(found[key], dict) for key in ("state_dict", CHECKPOINT_KEY)):
        raise ValueError("no weights")
    float(found[CHECKPOINT_KEY]["seconds"])
    states = found["random_states"]
    random.Random().setstate(states["python"])
    torch.Generator().set_state(states["torch"])
    if not isinstance(states["cuda"], list) or not isinstance(found["optimizer_states"], list):
        raise ValueError("no states")
    step = found["global_step"]
    if not isinstance(step, int) or step < 0:
        raise ValueError("no step")
    planned = found.get(PLANNED_STEPS)  # not in older ones
    if planned is not None and (not isinstance(planned, int) or planned < 1):
        raise ValueError("no planned steps")
    return step, planned


def lock_folder(folder: Path) -> Held:
    """Keeps other processes from training the run in ``folder``, which is made if it is missing.

    Raises:
        FastTransferError: one does already, or the folder cannot be locked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        held = hold(folder / LOCK_FILE)
    except OSError as error:  # such as a link or a folder in its place
        raise FastTransferError(
            f"The run '{folder}' cannot be locked ({brief(error)}); remove '{folder / LOCK_FILE}', or "
            "use another folder."
        ) from error
    if held is None:
        raise FastTransferError(
            f"The run '{folder}' is being trained by another process; wait for its end, or stop it."
        )
    return held


def new_folder(config: DictConfig) -> Path:
    """The folder of a new run, which is not made yet."""
    if config.run_dir is not None:
        return expand_user(config.run_dir)
    if in_sweep():
        return Path(HydraConfig.get().runtime.output_dir)
    if launched_outside():
        raise FastTransferError(
            "Several processes were started from outside (torchrun or SLURM), which must agree on their "
            "folder; give run_dir=runs/NAME."
        )
    name = str(config.style.name or Path(config.style.path).stem)
    plain = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)  # needs no quotes
    return fresh_folder(Path("runs") / f"{plain[:80]}-{time.strftime('%Y%m%d-%H%M%S')}")


def check_writable(name: str, folder: Path) -> None:
    """Checks that ``folder``, or files in it, can be created; leaves nothing behind.

    Args:
        name: of the setting, as it is typed.
        folder: it and its parents may be missing.

    Raises:
        FastTransferError: they cannot.
    """
    try:
        there = next(place for place in (folder, *folder.absolute().parents) if exists(place))
        if not there.is_dir():
            raise FastTransferError(
                f"{name}={folder} cannot be a folder, as '{there}' is a file; give another {name}."
            )
        with scratch_folder(there):
            pass
    except OSError as error:
        raise FastTransferError(
            f"Nothing can be written to {name}={folder} ({error.strerror}); give another {name}."
        ) from error


def is_complete(folder: Path) -> bool:
    """Whether the run in ``folder`` has come to its end: only then has its style file the scores."""
    return is_scored(folder / STYLE_FILE)


def new_or_resumed(folder: Path, settings: list[str]) -> list[str]:
    """The arguments of train.py for a new run in ``folder``, or to resume the one that is there."""
    return [f"resume={folder}"] if is_file(folder / SETTINGS_FILE) else settings
