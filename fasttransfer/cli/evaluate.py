"""A paper's protocol, from paintings to a table: ``fasttransfer evaluate --help``."""

from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.console import Console

from ..core.assets import CONF_DIR
from ..zoo.protocol import run_protocol
from .config import command
from .program import Program

PROGRAM = Program(
    "evaluate",
    CONF_DIR / "evaluate",
    texts=("paintings", "photos", "input", "output", "training", "lpips", "artfid"),
    lists=("paintings", "training"),
    argument="paintings",
)


@command(PROGRAM)
def main(config: DictConfig) -> None:
    """Trains, stylizes, and scores what is missing."""
    settings = instantiate(config.protocol, _convert_="all")
    console = Console(highlight=False, soft_wrap=True)
    run_protocol(settings, instantiate(config.stylizer), console)


if __name__ == "__main__":
    main()
