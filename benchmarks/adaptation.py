"""Compares short trainings from the base, from the nearest style, and from random weights.

    python benchmarks/adaptation.py PAINTING PHOTOS [--minute 375] [--runs FOLDER] [--curves FILE]

--minute is the number of steps that fit into a minute on the machine in question, so the runs may share
a machine with other work. Complete runs in FOLDER are not repeated. FILE is a plot of the held-out
objectives, each scored several times.
"""

import argparse
import json
from pathlib import Path

from curves import Curve, draw
from machine import describe
from rich.console import Console
from rich.table import Table

from fasttransfer.models.style_file import STYLE_FILE, load_style
from fasttransfer.training.callbacks import SCORES_FILE, read_scores
from fasttransfer.zoo.training import Training

SHOWN = ("seconds", "balanced_total", "balanced_content", "balanced_style", "balanced_palette")
LEAST_SCORED = 4  # times, so that there is a curve
CASES = {  # what each is called: minutes, and where it starts
    "1 min from nothing": (1, "null"),
    "1 min from the nearest": (1, "nearest"),
    "1 min from the base": (1, "base"),
    "5 min from the nearest": (5, "nearest"),
    "5 min from the base": (5, "base"),
    "7 min from nothing": (7, "null"),
    "20 min from the base": (20, "base"),
}


def main() -> None:
    """Trains, and prints a table and the same figures as one JSON object in the last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("painting", help="a picture file of a style that is not bundled")
    parser.add_argument("photos", help="the folder that is trained on")
    parser.add_argument("--network", default="default")
    parser.add_argument("--minute", type=int, default=375, metavar="STEPS")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--runs", type=Path, default=Path("runs/adaptation"))
    parser.add_argument("--curves", type=Path)
    typed = parser.parse_args()
    figures = {}
    curves: dict[str, Curve] = {}
    for name in typed.only:
        minutes, start = CASES[name]
        run = typed.runs / f"{Path(typed.painting).stem}_{typed.network}_{name.replace(' ', '_')}"
        every = [
            *(f"style.path={typed.painting}", f"data.root={typed.photos}", f"run_dir={run}"),
            *(f"network={typed.network}", f"start={start}", "budget=null"),
            f"trainer.max_steps={round(minutes * typed.minute)}",
            f"callbacks.style_file.scored={max(LEAST_SCORED, minutes)}",
        ]
        Training(name, run, typed.painting, every).run()
        metadata = load_style(run / STYLE_FILE).metadata
        row = {key: metadata[key] if key == "seconds" else metadata["scores"][key] for key in SHOWN}
        figures[name] = row | {"steps": metadata["steps"]}
        scored = read_scores(run / SCORES_FILE).items()
        curves[name] = {step: scores["balanced_total"] for step, scores in scored}
    titles = ("steps", "seconds", "objective", "content", "style", "palette")
    table = Table("training", *titles, title=typed.painting)
    for name, row in figures.items():
        table.add_row(name, *(f"{row[key]:.3g}" for key in ("steps", *SHOWN)))
    Console().print(table)
    if typed.curves is not None:
        draw(curves, "steps", typed.curves)
    print(json.dumps(figures | {"machine": describe()}))


if __name__ == "__main__":
    main()
