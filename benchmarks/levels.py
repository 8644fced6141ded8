"""How near style files are to their paintings at full, half, and quarter size.

    python benchmarks/levels.py STYLE [STYLE …] --paintings FOLDER

For each style file the means over the held-out photos of the balanced objective's terms.
"""

import argparse
from pathlib import Path
from statistics import fmean

from omegaconf import OmegaConf

from fasttransfer.core.assets import CONF_DIR
from fasttransfer.data.photos import photo_folder, read_probe
from fasttransfer.data.style_image import StyleImage
from fasttransfer.evaluation.scores import score
from fasttransfer.models.style_file import find_style, load_style
from fasttransfer.models.vgg import VGG16Features

COLUMNS = ("style_full", "style_half", "style_quarter", "content_full", "tone", "palette", "fine")
SIZE = 512


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("styles", nargs="+")
    parser.add_argument("--paintings", type=Path, required=True)
    typed = parser.parse_args()
    styles = OmegaConf.load(CONF_DIR / "zoo" / "zoo.yaml").styles
    photos = list(read_probe(photo_folder("bundled-probe"), 384, 8, 10**8).values())
    features = VGG16Features("bundled")
    print("| style |", " | ".join(COLUMNS), "|\n|---" + "|---" * len(COLUMNS) + "|")
    rows = []
    for name in typed.styles:
        path = find_style(name)
        plain = path.stem.removesuffix("_realtime")
        file = styles[plain].file
        image = StyleImage(
            str(typed.paintings / file) if file else plain, SIZE, None, None, 1
        ).image
        found = score(load_style(path).network, photos, image, features)
        rows.append([found[f"balanced_{column}"] for column in COLUMNS])
        print(f"| {path.stem} |", " | ".join(f"{value:.4f}" for value in rows[-1]), "|", flush=True)
    means = [fmean(column) for column in zip(*rows, strict=True)]
    print("| mean |", " | ".join(f"{value:.4f}" for value in means), "|")


if __name__ == "__main__":
    main()
