"""How this process was started.

Alone, as one of a sweep, by Lightning beside the first, by torchrun, or by SLURM, also a second
time.
"""

import os
import re

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig

from ..core.errors import FastTransferError

# Passes the run folder to the processes that Lightning's DDP starts.
RUN_DIR_VARIABLE = "FASTTRANSFER_RUN_DIR"
# What Lightning reads to find out how it was started.
_VARIABLES = re.compile(
    r"(SLURM|JSM|LSB|TORCHELASTIC)_\w+|(LOCAL_|NODE_|GROUP_)?RANK|WORLD_SIZE|MASTER_(ADDR|PORT)"
)


def forget_empty_variables() -> None:
    """Takes empty variables of launchers for missing ones; Lightning would convert them to numbers.

    To be called before Lightning is imported.
    """
    for name, value in list(os.environ.items()):
        if not value.strip() and _VARIABLES.fullmatch(name):
            del os.environ[name]


def in_sweep() -> bool:
    """Whether this run is one of several that ``-m`` asks for."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN


def started_by_lightning() -> bool:
    """Whether this process is one that Lightning started beside the first."""
    return RUN_DIR_VARIABLE in os.environ and _whole("LOCAL_RANK", 0) != 0


def launched_outside() -> bool:
    """Whether torchrun or SLURM started several processes, which this one cannot pass anything to."""
    return "TORCHELASTIC_RUN_ID" in os.environ or _whole("SLURM_NTASKS", 1) > 1


def requeued() -> bool:
    """Whether SLURM has started a task of a sweep again, with the same command.

    It does so with what was pre-empted.
    """
    return in_sweep() and _whole("SLURM_RESTART_COUNT", 0) > 0


def _whole(variable: str, otherwise: int) -> int:
    """The number in an environment variable, which may be empty or missing."""
    text = os.environ.get(variable, "").strip()
    return int(text) if text.isdecimal() else otherwise


def check_sweep(config: DictConfig) -> None:
    """Raises FastTransferError for a run of a sweep that would start the sweep again."""
    devices = config.trainer.devices  # a number, or a list such as [0]
    one = str(devices) == "1" or (isinstance(devices, ListConfig) and len(devices) == 1)
    if in_sweep() and "TORCHELASTIC_RUN_ID" in os.environ:
        raise FastTransferError(
            "torchrun starts one run in several processes, each of which would make a whole sweep (-m); "
            "start the runs one by one, or use hydra/launcher=submitit_slurm."
        )
    if in_sweep() and not one and not launched_outside():
        raise FastTransferError(
            f"Each run of a sweep (-m) trains on one device, not trainer.devices="
            f"{devices}: every process beside the first would start the whole sweep "
            "again; leave it out, or use hydra/launcher=submitit_slurm with a task for each device."
        )
