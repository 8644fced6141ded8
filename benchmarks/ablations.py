"""Measures what each part of the recipe is worth, with runs that differ in one setting.

    python benchmarks/ablations.py PHOTOS PAINTING [PAINTING …] [--seconds 120] [--seeds 0]
        [--start null] [--variants FILE] [--only NAME [NAME …]] [--runs runs/ablations]
        [--curves PICTURE [--scored 6]]

Every variant of ablations.yaml, or another such file, takes as many steps as fit into the same time.
Paces are measured once, each right after a pace of `baseline`, since the load of the machine varies;
later runs may share the machine with other work. Complete runs are skipped and interrupted ones
continue, so the same command finishes the series; more paintings and seeds can follow. The table
compares each run with `baseline` for the same painting and seed. PICTURE plots the objectives of the
first painting and seed over time, with a point for each time a run was scored.
"""

import argparse
import json
import os
import statistics
import sys
from pathlib import Path

import hydra
from curves import Curve, draw
from machine import describe
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table

from fasttransfer.core.assets import CONF_DIR
from fasttransfer.core.hardware import accelerator_device
from fasttransfer.training.budget import Pace
from fasttransfer.training.build import build_training
from fasttransfer.training.callbacks import SCORES_FILE, read_scores
from fasttransfer.zoo.training import Training

BASE, OBJECTIVE = "baseline", "balanced_total"
ROUNDS = 2
SHOWN = ("balanced_content", "balanced_style", "balanced_palette", "balanced_tone", "grid")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", help="the folder that is trained on")
    parser.add_argument("paintings", nargs="+", type=Path)
    parser.add_argument("--seconds", type=int, default=120, help="of every run (%(default)s)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--start", default="null", help="of train.py (%(default)s)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="variants of the file")
    parser.add_argument("--variants", type=Path, default=Path(__file__).with_suffix(".yaml"))
    parser.add_argument("--runs", type=Path, default=Path("runs/ablations"))
    parser.add_argument("--curves", type=Path)
    parser.add_argument("--scored", type=int, default=1, help="times a run (%(default)s)")
    typed = parser.parse_args()
    search = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, search))  # of each run: for variants.py
    variants: dict[str, list[str]] = {
        str(name): list(settings) for name, settings in OmegaConf.load(typed.variants).items()
    }
    chosen = {name: variants[name] for name in typed.only or variants}
    paces = measured({BASE: variants[BASE]} | chosen, typed.runs / "pace.json")
    for seed in typed.seeds:
        for painting in typed.paintings:
            for name, settings in chosen.items():
                steps = round(typed.seconds * paces[name])
                folder = typed.runs / folder_name(name, f"{painting.stem}_{seed}")
                own = (f"style.path={painting}", f"seed={seed}", f"run_dir={folder}")
                common = (f"data.root={typed.photos}", f"start={typed.start}", "budget=null")
                length = (
                    f"trainer.max_steps={steps}",
                    f"callbacks.style_file.scored={typed.scored}",
                )
                every = [*own, *common, *length, *settings]
                Training(name, folder, str(painting), every).run()
    show(chosen, typed)
    if typed.curves is not None:
        draw_curves(chosen, paces, typed)


def measured(variants: dict[str, list[str]], file: Path) -> dict[str, float]:
    """Steps a second of every variant.

    For those that ``file`` does not hold, how many times the pace of `baseline` they have is
    measured, and multiplied by the one there.
    """
    paces: dict[str, float] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    for name in variants:
        if name not in paces:
            if name == BASE:  # the first of them
                paces[name] = pace(variants[BASE])
            else:
                ratios = [pace(variants[name]) / pace(variants[BASE]) for _ in range(ROUNDS)]
                print(f"{name}: {ratios} of the pace", file=sys.stderr)
                paces[name] = round(paces[BASE] * statistics.mean(ratios), 3)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(paces, indent=1), "utf-8")
    return paces


def pace(settings: list[str]) -> float:
    with hydra.initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        config: DictConfig = hydra.compose("train", settings)
    training = build_training(config, config.style.path)
    device = accelerator_device(config.trainer.accelerator)
    bfloat16 = str(config.trainer.precision).startswith("bf16")
    return 1 / Pace(training, config.data.crop_size, device, bfloat16)(config.data.batch_size)


def folder_name(variant: str, case: str) -> str:
    return f"{variant.replace(' ', '-')}_{case}"


def draw_curves(
    variants: dict[str, list[str]], paces: dict[str, float], typed: argparse.Namespace
) -> None:
    """Over the seconds at each variant's own pace."""
    curves: dict[str, Curve] = {}
    for name in variants:
        case = f"{typed.paintings[0].stem}_{typed.seeds[0]}"
        found = read_scores(typed.runs / folder_name(name, case) / SCORES_FILE)
        curves[name] = {step / paces[name]: scores[OBJECTIVE] for step, scores in found.items()}
    draw(curves, "seconds", typed.curves)


def show(variants: dict[str, list[str]], typed: argparse.Namespace) -> None:
    """A table, and its figures as one JSON object in the last line."""
    cases = [f"{path.stem}_{seed}" for path in typed.paintings for seed in typed.seeds]

    def scores(name: str) -> dict[str, dict[str, float]]:
        folders = {case: typed.runs / folder_name(name, case) for case in cases}
        found = {case: read_scores(folder / SCORES_FILE) for case, folder in folders.items()}
        return {case: {"step": max(one)} | one[max(one)] for case, one in found.items() if one}

    base = scores(BASE)
    figures: dict[str, dict[str, float]] = {}
    for name in variants:
        rows = scores(name)
        ratios = [rows[case][OBJECTIVE] / base[case][OBJECTIVE] for case in rows if case in base]
        figures[name] = {
            "runs": len(rows),
            "steps": round(statistics.mean(row["step"] for row in rows.values())),
            "of_objective": statistics.geometric_mean(ratios or [float("nan")]),
            "lowest": min(ratios, default=float("nan")),
            "highest": max(ratios, default=float("nan")),
            **{key: statistics.mean(row[key] for row in rows.values()) for key in SHOWN},
        }
    table = Table("variant", "runs", "steps", "objective", "from … to", *SHOWN)
    for name, row in figures.items():
        table.add_row(
            *(name, str(row["runs"]), str(row["steps"]), f"× {row['of_objective']:.3f}"),
            f"{row['lowest']:.3f} … {row['highest']:.3f}",
            *(f"{row[key]:.3f}" for key in SHOWN),
        )
    Console().print(table)
    print(json.dumps({"machine": describe(), "seconds": typed.seconds, "variants": figures}))


if __name__ == "__main__":
    main()
