"""Packs training photos into tar files: ``fasttransfer shards --help``."""

import shlex

from omegaconf import DictConfig

from ..core.assets import CONF_DIR
from ..core.errors import FastTransferError, shown_name
from ..core.paths import expand_user
from ..core.progress import Report
from ..core.values import whole_number
from ..data.packing import pack
from .config import command
from .program import Program

PROGRAM = Program("shards", CONF_DIR / "shards", texts=("photos", "output"), argument="photos")


@command(PROGRAM)
def main(config: DictConfig) -> None:
    """Packs the folder that ``config`` names."""
    for name in ("photos", "output"):
        if config[name] is None:
            raise FastTransferError(f"{name}= is missing; give it a folder.")
    report = Report()
    output = expand_user(config.output)
    photos = expand_user(config.photos)
    settings = {name: config[name] for name in ("size", "min_side", "per_shard", "quality")}
    for name, value in settings.items():
        whole_number(name, value, least=1)
    number = pack(photos, output, report, **settings)
    report.print_summary()
    command = f"fasttransfer train painting.jpg --photos {shlex.quote(str(output))}"
    print(f"packed {number} photos; train with: {shown_name(command)}")


if __name__ == "__main__":
    main()
