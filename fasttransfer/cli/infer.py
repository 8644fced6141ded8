"""Stylizes pictures and videos: source → stylizer → sink.

``python infer.py --help`` says what to type.
"""

from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from ..core.assets import CONF_DIR
from ..core.errors import FastTransferError
from ..core.values import as_list
from ..live.names import is_camera
from .config import command
from .program import Program

FOLDER = CONF_DIR / "infer"
_MASKS = ("mask.path", "mask.strength", "mask.model")
_SEVERAL = ("style", "style.path", "input")

# A folder of its own: in conf/ itself, style= would mean the group conf/style of the training.
PROGRAM = Program(
    "infer",
    FOLDER,
    texts=(*_SEVERAL, "output", "log_dir", "comparison.style", "slow.intermediate", *_MASKS),
    lists=_SEVERAL,
    argument="input",
    files={"mask": "mask.path", "strength": "mask.strength"},
)


@command(PROGRAM)
def main(config: DictConfig) -> None:
    """Does the task that ``config`` describes; exit code 1 if a file could not be done."""
    instantiate(chosen_task(config))(config)


def chosen_task(config: DictConfig) -> DictConfig:
    """The chosen task, or the one that an older spelling stands for.

    Raises:
        FastTransferError: both, and they differ.
    """
    older = {name: bool(config[name]) for name in ("list", "export", "compare")}
    older["live"] = any(is_camera(name) for name in as_list(config.input))
    older["volume"] = bool(config.volume)
    implied = next((name for name, is_meant in older.items() if is_meant), None)
    chosen = HydraConfig.get().runtime.choices["task"]
    if implied in (None, chosen):
        return config.task
    if chosen != "stylize":
        spelled = "input=camera" if implied == "live" else f"{implied}={config[implied]}"
        raise FastTransferError(f"task={chosen} does not go with {spelled}; leave one of them out")
    return OmegaConf.load(FOLDER / "task" / f"{implied}.yaml")  # type: ignore[return-value]


if __name__ == "__main__":
    main()
