"""Searches the settings of a recipe: ``fasttransfer search --help``."""

from omegaconf import DictConfig

from ..core.assets import CONF_DIR
from ..core.values import whole_number
from ..training.search import Search
from .config import command
from .program import Program

PROGRAM = Program("tune", CONF_DIR / "tune", texts=("study", "overrides"), lists=("overrides",))


@command(PROGRAM)
def main(config: DictConfig) -> None:
    """Runs the missing trials, and reports the best ones."""
    for name in ("trials", "steps", "reports"):
        whole_number(name, config[name], least=1)
    search = Search(config)
    search.run()
    print(search.summary())


if __name__ == "__main__":
    main()
