"""Packs training photos into tar files. ``python -m fasttransfer.cli.shards --help`` says how."""

import sys

from omegaconf import DictConfig

from ..core.assets import CONF_DIR
from ..core.errors import FastTransferError
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
    for failure in report.failures:
        print(failure, file=sys.stderr)
    print(f"packed {number} photos; train with: python train.py data=shards data.root={output}")


if __name__ == "__main__":
    main()
