"""Compares libvips, which fasttransfer uses, with tifffile and zarr on large TIFFs.

    python -m pip install tifffile zarr imagecodecs
    python benchmarks/large_files.py [--megapixels 100] [--rounds 3]

Reads a tiled, deflated file to an array on disk, and writes it as a tiled, deflated, pyramidal BigTIFF,
in separate processes that alternate. Reports median seconds without startup, and peak memory.
tifffile reads and writes neither JPEG nor PNG.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from large_pictures import make_picture
from machine import describe, peak_mb
from rich.console import Console
from rich.table import Table

from fasttransfer.images.decoding import read_size
from fasttransfer.images.regions import grid
from fasttransfer.large.planes import Plane
from fasttransfer.large.rasters import pack, unpack

TILE = 512
TILED: dict[str, Any] = {"tile": (TILE, TILE), "compression": "zlib", "photometric": "rgb"}


def read_by_vips(path: Path, array: Path, shape: tuple[int, int, int]) -> None:
    unpack(path, array, size=(shape[1], shape[0]), longer=None, max_pixels=10**10)


def read_by_tifffile(path: Path, array: Path, shape: tuple[int, int, int]) -> None:
    import tifffile
    import zarr

    picture: Any = zarr.open(tifffile.imread(path, aszarr=True), mode="r")
    with array.open("wb") as file:
        for top in range(0, shape[0], TILE):
            file.write(np.asarray(picture[top : top + TILE]).tobytes())


def write_by_vips(path: Path, array: Path, shape: tuple[int, int, int]) -> None:
    pack(Plane(array, shape, "uint8"), path, quality=90)


def write_by_tifffile(path: Path, array: Path, shape: tuple[int, int, int]) -> None:
    import tifffile

    pixels = np.memmap(array, mode="r", shape=shape)
    steps: list[int] = []
    while not steps or max(shape) / steps[-1] > TILE:
        steps.append(2 ** len(steps))
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        for step in steps:
            # Every step-th pixel, where libvips takes means: the least that a pyramid can cost.
            level = pixels[::step, ::step]
            below = {"subifds": len(steps) - 1} if step == 1 else {"subfiletype": 1}
            file.write(_tiles(level), shape=level.shape, dtype="uint8", **TILED, **below)


def _tiles(level: np.ndarray) -> Iterator[np.ndarray]:
    height, width = level.shape[:2]
    for part in grid(height, width, TILE):
        yield np.ascontiguousarray(level[part.top : part.bottom, part.left : part.right])


WAYS = {
    way.__name__: way for way in (read_by_vips, read_by_tifffile, write_by_vips, write_by_tifffile)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    typed = parser.parse_args()
    if typed.one:
        work(*typed.one)
        return
    with tempfile.TemporaryDirectory() as place:
        figures = measure(Path(place), typed.megapixels, typed.rounds)
    table = Table("", "seconds", "peak, MB", title=f"{typed.megapixels} megapixels, {describe()}")
    for name, row in figures.items():
        table.add_row(name, f"{row['seconds']:.1f}", f"{row['peak_mb']:.0f}")
    Console().print(table)
    print(json.dumps(figures | {"machine": describe()}))


def measure(place: Path, megapixels: int, rounds: int) -> dict[str, dict[str, float]]:
    """Medians of each way."""
    picture = make_picture(place / "picture.tif", megapixels)
    width, height = read_size(picture, max_pixels=10**10)
    array, written = place / "array", place / "written.tif"
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, found in rows.items():
            reads = name.startswith("read")
            (array if reads else written).unlink(missing_ok=True)
            path = picture if reads else written
            typed = ["--one", name, *(str(one) for one in (path, array, height, width))]
            command = [sys.executable, __file__, *typed]
            done = subprocess.run(
                command, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8"
            )
            found.append(json.loads(done.stdout))
    return {
        name: {key: statistics.median(one[key] for one in found) for key in found[0]}
        for name, found in rows.items()
    }


def work(way: str, path: str, array: str, height: str, width: str) -> None:
    """In a process of its own."""
    start = time.perf_counter()
    WAYS[way](Path(path), Path(array), (int(height), int(width), 3))
    seconds = time.perf_counter() - start
    peak = peak_mb(resource.getrusage(resource.RUSAGE_SELF))
    print(json.dumps({"seconds": seconds, "peak_mb": peak}))


if __name__ == "__main__":
    main()
