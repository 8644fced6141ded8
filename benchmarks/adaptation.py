"""How far a new style gets in a short training that starts from a trained one, against from nothing.

    python benchmarks/adaptation.py PAINTING PHOTOS --short 100 --long 400

trains, one after another, ``--short`` steps from nothing, as many from the nearest bundled style, and
``--long`` steps from nothing, and prints the scores over the probe photos.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from machine import describe
from rich.console import Console
from rich.table import Table

from fasttransfer.checkpoint import STYLE_FILE, load_style

SHOWN = ("seconds", "balanced_total", "balanced_content", "balanced_style")


def main() -> None:
    """Trains, and prints a table and the same figures as one JSON object in the last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("painting", help="a picture file of a style that is not bundled")
    parser.add_argument("photos", help="the folder that is trained on")
    parser.add_argument("--network", default="default")
    parser.add_argument("--short", type=int, default=100, metavar="STEPS")
    parser.add_argument("--long", type=int, default=400, metavar="STEPS")
    chosen = parser.parse_args()
    cases = (
        (f"{chosen.short} steps from nothing", "null", chosen.short),
        (f"{chosen.short} steps from the nearest", "nearest", chosen.short),
        (f"{chosen.long} steps from nothing", "null", chosen.long),
    )
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, start, steps) in enumerate(cases):
            figures[name] = train(chosen, start, steps, Path(folder) / str(number))
    table = Table("training", "seconds", "objective", "content", "style", title=chosen.painting)
    for name, row in figures.items():
        table.add_row(name, *(f"{row[key]:.3g}" for key in SHOWN))
    Console().print(table)
    print(json.dumps(figures | {"machine": describe()}))


def train(chosen: argparse.Namespace, start: str, steps: int, run: Path) -> dict[str, float]:
    """One run of train.py; its scores, and the seconds that the training itself took."""
    settings = [
        *(f"style.path={chosen.painting}", f"data.root={chosen.photos}", f"run_dir={run}"),
        *(f"network={chosen.network}", f"start={start}", "budget=full"),
        f"trainer.max_steps={steps}",
    ]
    subprocess.run([sys.executable, "-m", "fasttransfer.train", *settings], check=True)
    told = load_style(run / STYLE_FILE).metadata
    return {key: told[key] if key == "seconds" else told["scores"][key] for key in SHOWN}


if __name__ == "__main__":
    main()
