"""Measures the cost of VGG16 weights in float16: the relative difference of every activation.

    python benchmarks/vgg_float16.py vgg16_features.safetensors [--write FILE]

The file is the float32 original; --write stores it in float16, as the bundled file was made.
"""

import argparse
import json

import torch
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file, save_file

from fasttransfer.data.photos import photo_folder, read_probe
from fasttransfer.models.vgg import LAYERS, VGG16Features


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("original", help="float32 weights, .safetensors")
    parser.add_argument("--write", metavar="FILE", help="store them in float16")
    typed = parser.parse_args()
    if typed.write:
        save_file(
            {key: value.half() for key, value in load_file(typed.original).items()}, typed.write
        )
    networks = VGG16Features(typed.original), VGG16Features(typed.write or "bundled")
    worst = dict.fromkeys(LAYERS, 0.0)
    photos = read_probe(photo_folder("bundled-probe"), 256, 8, 10**9).values()
    for photo in photos:
        full, half = (network(photo[None], LAYERS) for network in networks)
        for name in LAYERS:
            difference = (full[name] - half[name]).norm() / full[name].norm()
            worst[name] = max(worst[name], difference.item())
    table = Table("layer", "relative difference", title=f"worst of {len(photos)} photos")
    for name, value in worst.items():
        table.add_row(name, f"{value:.2e}")
    Console().print(table)
    print(json.dumps(worst))


if __name__ == "__main__":
    main()
