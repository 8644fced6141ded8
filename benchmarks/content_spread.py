"""Measures how much styles change photos, and how much that varies between styles.

The content term of the balanced loss divides the difference at relu3_3 by the variance of the photo's
activations (of photo). A style full of edges has a larger variance itself, so the same difference is
also divided by the variance of both pictures (of both), as in the style term.

    python benchmarks/content_spread.py [STYLE …]
"""

import argparse
import json
from statistics import fmean, stdev

import torch
from machine import describe
from rich.console import Console
from rich.table import Table

from fasttransfer.data.photos import photo_folder, read_probe
from fasttransfer.data.style_image import MAX_PIXELS
from fasttransfer.models.style_file import bundled_styles, find_style, load_style
from fasttransfer.models.vgg import VGG16Features

LAYER, SIZE = "relu3_3", 384


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("styles", nargs="*", help="all bundled ones of the default network")
    names = parser.parse_args().styles
    names = names or [name for name in sorted(bundled_styles()) if not name.endswith("_realtime")]
    features = VGG16Features("bundled")
    photos = list(read_probe(photo_folder("bundled-probe"), SIZE, 8, MAX_PIXELS).values())
    targets = [features(photo[None], [LAYER])[LAYER] for photo in photos]
    rows = {}
    for name in names:
        network = load_style(find_style(name)).network.eval()
        found: list[tuple[float, float]] = []
        for photo, target in zip(photos, targets, strict=True):
            made = features(network(photo[None]).clamp(0, 1), [LAYER])[LAYER]
            difference = (made - target).square().mean().item()
            own, others = (float(x.var(correction=0)) for x in (target, made))
            found.append((difference / own, difference / (own + others)))
        rows[name] = [fmean(column) for column in zip(*found, strict=True)]
    table = Table("style", "of photo", "of both", title=describe())
    for name, values in rows.items():
        table.add_row(name, *(f"{value:.2f}" for value in values))
    variations = [stdev(column) / fmean(column) for column in zip(*rows.values(), strict=True)]
    table.add_row("variation", *(f"{100 * value:.0f} %" for value in variations))
    Console().print(table)
    print(json.dumps({"benchmark": "content_spread", "rows": rows, "variations": variations}))


if __name__ == "__main__":
    main()
