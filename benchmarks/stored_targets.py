"""How far scores from what style files hold are from those with the paintings themselves.

    python benchmarks/stored_targets.py --paintings FOLDER [--photos 2] [STYLE …]

For each score, the mean and the largest relative difference over bundled styles of paintings and
held-out photos.
"""

import argparse
from pathlib import Path
from statistics import fmean

import torch
from omegaconf import OmegaConf
from rich.console import Console
from rich.table import Table

from fasttransfer.core.assets import CONF_DIR
from fasttransfer.data.photos import photo_folder, read_probe
from fasttransfer.evaluation.scores import Scorer
from fasttransfer.evaluation.style_evaluator import read_style_image
from fasttransfer.models.style_file import find_style, load_style
from fasttransfer.models.vgg import VGG16Features
from fasttransfer.models.weight_files import read_target


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("styles", nargs="*", help="without a network's name (all paintings)")
    parser.add_argument("--paintings", type=Path, required=True)
    parser.add_argument("--photos", type=int, default=2)
    typed = parser.parse_args()
    zoo = OmegaConf.load(CONF_DIR / "zoo" / "zoo.yaml").styles
    files = {name: zoo[name].file for name in typed.styles or zoo if zoo[name].file}
    photos = list(read_probe(photo_folder("bundled-probe"), 384, 8, 10**8).values())[: typed.photos]
    features = VGG16Features("bundled")
    found: dict[str, list[float]] = {}
    for name, painting in files.items():
        style = load_style(find_style(name))
        exact = Scorer(read_style_image(str(typed.paintings / painting), style), features)
        stored = Scorer(read_target(find_style(name)), features)
        for photo in photos:
            with torch.no_grad():
                stylized = style.network(photo[None])[0].clamp(0, 1)
            scores = exact(stylized, photo), stored(stylized, photo)
            for key, value in scores[0].items():
                if value:
                    found.setdefault(key, []).append(abs(scores[1][key] / value - 1))
    table = Table("score", "mean", "largest", title=f"{len(files)} styles, {len(photos)} photos")
    for key, values in found.items():
        if max(values) > 0:
            table.add_row(key, f"{100 * fmean(values):.2f} %", f"{100 * max(values):.2f} %")
    Console().print(table)


if __name__ == "__main__":
    main()
