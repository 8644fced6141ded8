"""Measures how neighboring slices of a volume differ, stylized along three axes or slice by slice.

The volume is generated: a gyroid in a ball, 160 × 192 × 192, with a little noise, as in scans.

    python benchmarks/volume.py STYLE [--picture cuts.png]
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from machine import describe
from PIL import Image
from rich.console import Console
from rich.table import Table

from fasttransfer.core.progress import Report
from fasttransfer.large.settings import TileSettings
from fasttransfer.stylizing.settings import EngineSettings
from fasttransfer.stylizing.stylizer import Stylizer
from fasttransfer.volumes.files import open_volume
from fasttransfer.volumes.stylizing import VolumeStylizer

SHAPE = (160, 192, 192)


TILES = TileSettings("off", memory=1, tile=1024, thumbnail=1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("style")
    parser.add_argument("--picture", help="the middle cuts along each axis")
    typed = parser.parse_args()
    stylizer = Stylizer(typed.style, engine=EngineSettings(device="cpu"))
    volume = generate()
    volumes = {
        "input": volume,
        "slice by slice": np.stack([stylizer.frame(pixels) for pixels in volume]),
        "three axes": along_three_axes(volume, stylizer),
    }
    differences = {
        name: [
            round(float(np.abs(np.diff(v.astype(int), axis=axis)).mean()), 2) for axis in range(3)
        ]
        for name, v in volumes.items()
    }
    table = Table("volume", "across slices", "down", "to the right", "contrast")
    table.title = f"mean difference of neighbors, levels of 255: {stylizer.name}, {describe()}"
    for name, v in volumes.items():
        table.add_row(name, *map(str, differences[name]), f"{v.std():.0f}")
    Console().print(table)
    if typed.picture:
        cuts = [np.concatenate([v[80], v[:, 96], v[:, :, 96]]) for v in volumes.values()]
        Image.fromarray(np.concatenate(cuts, axis=1)).save(typed.picture)
    print(json.dumps({"benchmark": "volume", **differences, "machine": describe()}))


def generate() -> np.ndarray:
    """RGB bytes (D, H, W, 3)."""
    z, y, x = (axis * (2 * np.pi / 64) for axis in np.mgrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]])
    gyroid = np.sin(x) * np.cos(y) + np.sin(y) * np.cos(z) + np.sin(z) * np.cos(x)
    distance = np.sqrt(sum((axis - axis.mean()) ** 2 for axis in (z, y, x)))
    inside = np.where(distance < 7.2, 0.5 + 0.33 * gyroid, 0.06)
    colors = np.stack([inside, 0.9 * inside + 0.1 * np.sin(z / 3), 1 - 0.8 * inside], axis=-1)
    colors += np.random.default_rng(0).normal(0, 0.02, (*SHAPE, 1))
    return (colors.clip(0, 1) * 255).astype(np.uint8)


def along_three_axes(volume: np.ndarray, stylizer: Stylizer) -> np.ndarray:
    """As ``infer.py volume=true`` does it, from file to file."""
    with tempfile.TemporaryDirectory() as folder:
        first, *rest = [Image.fromarray(pixels) for pixels in volume]
        first.save(f"{folder}/in.tif", save_all=True, append_images=rest)
        target = Path(folder, "out.tif")
        with VolumeStylizer(stylizer, TILES, Report())(
            open_volume(Path(folder, "in.tif"), 10**8)
        ) as stylized:
            stylized.volume.save(target, stylized.slices())
        return np.stack(list(open_volume(target, 10**8).slices()))


if __name__ == "__main__":
    main()
