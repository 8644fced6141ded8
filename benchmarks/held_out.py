"""Scores of style files over photos they were not trained on, and the scores of the photos themselves.

    python benchmarks/held_out.py runs/A runs/B … [--photos FOLDER] [--size 384] [--count 8]

Each style must come with its style image, as in a run folder.
"""

import argparse
import json

from machine import describe
from rich.console import Console
from rich.table import Table

from fasttransfer.data.photos import photo_folder, read_probe
from fasttransfer.evaluation.comparison import labels
from fasttransfer.evaluation.scores import score, score_pictures
from fasttransfer.evaluation.style_evaluator import style_image_of
from fasttransfer.models.style_file import find_style, load_style
from fasttransfer.models.vgg import VGG16Features

SHOWN = ("balanced_content", "balanced_style", "balanced_total", "johnson_total")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("styles", nargs="+", help="run folders or style files")
    parser.add_argument("--photos", default="bundled-probe", help="default: the bundled ones")
    parser.add_argument("--size", type=int, default=384, help="longer side in pixels")
    parser.add_argument("--count", type=int, default=8, help="photos at most")
    typed = parser.parse_args()
    photos = list(read_probe(photo_folder(typed.photos), typed.size, typed.count, 10**9).values())
    features = VGG16Features("bundled")
    paths = [find_style(style) for style in typed.styles]
    table = Table("style", "picture", *SHOWN, title=f"{len(photos)} photos at {typed.size}")
    figures = {}
    for label, path in zip(labels(paths), paths, strict=True):
        style_file = load_style(path)
        style = style_image_of(path, style_file)
        if style is None:
            raise SystemExit(f"{path} has no style image with it; give its run folder.")
        rows = {
            "photo": score_pictures([(photo, photo) for photo in photos], style, features),
            "stylized": score(style_file.network, photos, style, features),
        }
        figures[label] = rows
        for picture, scores in rows.items():
            table.add_row(label, picture, *(f"{scores[key]:.4g}" for key in SHOWN))
    Console().print(table)
    print(json.dumps(figures | {"machine": describe()}))


if __name__ == "__main__":
    main()
