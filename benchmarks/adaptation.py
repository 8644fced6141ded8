"""How far a new style gets in a short training that starts from a trained one, against from nothing.

    python benchmarks/adaptation.py PAINTING PHOTOS [--minute 100] [--runs FOLDER]

A minute is so many steps, those that fit into one on the machine in question; so the runs may lie beside
other work. Complete ones in FOLDER are not run again.
"""

import argparse
import json
from pathlib import Path

from machine import describe
from rich.console import Console
from rich.table import Table

from fasttransfer.checkpoint import STYLE_FILE, load_style
from fasttransfer.zoo import Training

SHOWN = ("seconds", "balanced_total", "balanced_content", "balanced_style", "balanced_palette")
CASES = {  # what each is called: minutes, where it starts, and what else it is told
    "1 min from nothing": (1, "null", ()),
    "1 min from the nearest": (1, "nearest", ()),
    "5 min from the nearest": (5, "nearest", ()),
    "7 min from nothing": (7, "null", ()),
    "7 min from nothing, Adam": (7, "null", ("optimizer=adam",)),
    "20 min from nothing": (20, "null", ()),
}


def main() -> None:
    """Trains, and prints a table and the same figures as one JSON object in the last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("painting", help="a picture file of a style that is not bundled")
    parser.add_argument("photos", help="the folder that is trained on")
    parser.add_argument("--network", default="default")
    parser.add_argument("--minute", type=int, default=100, metavar="STEPS")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--runs", type=Path, default=Path("runs/adaptation"))
    typed = parser.parse_args()
    figures = {}
    for name in typed.only:
        minutes, start, settings = CASES[name]
        run = typed.runs / f"{Path(typed.painting).stem}_{typed.network}_{name.replace(' ', '_')}"
        every = [
            *(f"style.path={typed.painting}", f"data.root={typed.photos}", f"run_dir={run}"),
            *(f"network={typed.network}", f"start={start}", "budget=null"),
            *(f"trainer.max_steps={round(minutes * typed.minute)}", *settings),
        ]
        Training(name, run, every).run()
        told = load_style(run / STYLE_FILE).metadata
        row = {key: told[key] if key == "seconds" else told["scores"][key] for key in SHOWN}
        figures[name] = row | {"steps": told["steps"]}
    titles = ("steps", "seconds", "objective", "content", "style", "palette")
    table = Table("training", *titles, title=typed.painting)
    for name, row in figures.items():
        table.add_row(name, *(f"{row[key]:.3g}" for key in ("steps", *SHOWN)))
    Console().print(table)
    print(json.dumps(figures | {"machine": describe()}))


if __name__ == "__main__":
    main()
