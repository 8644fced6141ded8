"""Searches the settings of a recipe. ``python -m fasttransfer.cli.search --help`` says how."""

from omegaconf import DictConfig

from ..core.assets import CONF_DIR
from ..core.errors import FastTransferError
from ..training.search import Search
from .config import command
from .program import Program

PROGRAM = Program("tune", CONF_DIR / "tune", texts=("study", "overrides"), lists=("overrides",))


@command(PROGRAM)
def main(config: DictConfig) -> None:
    """Makes the trials that are missing, and tells the best."""
    for name in ("trials", "steps", "reports"):
        if not isinstance(config[name], int) or config[name] < 1:
            raise FastTransferError(f"{name}={config[name]} must be a whole number from 1 on")
    search = Search(config)
    search.run()
    print(search.summary())


if __name__ == "__main__":
    main()
