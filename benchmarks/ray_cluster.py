"""Photos per second of infer.py with cluster=ray against one process, and what starting costs.

Each way stylizes a few photos, so many that all actors have started, and then several times as many;
the difference gives the rate. From it follows what a million photos cost on some nodes like this one, as
long as nothing else limits, and the bytes a second that they would read.

    python benchmarks/ray_cluster.py [key=value …] [--style NAME] [--count 16] [--few 4]
        [--megapixels 12] [--actors 1 2]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import describe
from PIL import Image
from rich.console import Console
from rich.table import Table

from fasttransfer.data.photos import photo_folder

SCRIPT = Path(__file__).parents[1] / "infer.py"
MILLION, NODES = 1_000_000, (1, 16, 64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--style", default="mosaic")
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--few", type=int, default=4)
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--actors", type=int, nargs="+", default=[1, 2])
    parser.add_argument("settings", nargs="*", help="of infer.py")
    typed = parser.parse_args()
    ways: dict[str, list[str]] = {"one process": []}
    for number in typed.actors:
        threads = max(1, (os.cpu_count() or 1) // number)
        settings = ["cluster=ray", f"ray.actors={number}", f"ray.threads={threads}"]
        ways[f"ray, actors × threads: {number} × {threads}"] = settings
    rows = {}
    with tempfile.TemporaryDirectory() as place:
        size = make_photos(Path(place, "photos"), typed.count, typed.megapixels)
        style = f"style={typed.style}"
        # What is made for an engine once on a machine would count as starting.
        stylize(Path(place), "photos/0000.jpg", [style, *typed.settings])
        for name, way in ways.items():
            settings = [style, *way, *typed.settings]
            few, every = (
                stylize(Path(place), f"photos/{pattern}.jpg", settings)
                for pattern in (f"000[0-{typed.few - 1}]", "*")
            )
            rate = (typed.count - typed.few) / (every - few)
            rows[name] = {"start_s": few - typed.few / rate, "photos_s": rate}
            print(name, rows[name], file=sys.stderr)
    show(rows, size, typed)


def make_photos(folder: Path, count: int, megapixels: float) -> float:
    """Bundled photos, enlarged to ``megapixels``; the mean megabytes of a file."""
    folder.mkdir()
    photos = sorted(photo_folder("bundled").glob("*.jpg"))
    for number in range(count):
        with Image.open(photos[number % len(photos)]) as photo:
            scale = (megapixels * 1e6 / (photo.width * photo.height)) ** 0.5
            large = photo.convert("RGB").resize(
                (round(photo.width * scale), round(photo.height * scale)), Image.Resampling.BICUBIC
            )
        large.save(folder / f"{number:04}.jpg", quality=90)
    return sum(path.stat().st_size for path in folder.iterdir()) / count / 1e6


def stylize(place: Path, photos: str, settings: list[str]) -> float:
    """Seconds of the whole command."""
    start = time.perf_counter()
    typed = [f"input={photos}", "output=out/", "overwrite=true", *settings]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *typed],
        cwd=place,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return time.perf_counter() - start


def show(rows: dict[str, dict[str, float]], size: float, typed: argparse.Namespace) -> None:
    """The tables, and the figures as JSON."""
    table = Table("", "photos/s", "ratio", "starting, s", title=describe())
    base = rows["one process"]["photos_s"]
    for name, row in rows.items():
        numbers = (row["photos_s"], row["photos_s"] / base, row["start_s"])
        table.add_row(name, *(f"{number:.3g}" for number in numbers))
    Console().print(table)
    best = max(row["photos_s"] for row in rows.values())
    paper = Table("nodes", "hours for a million", "MB/s read", "starting is")
    start = max(row["start_s"] for row in rows.values())
    for nodes in NODES:
        seconds = MILLION / best / nodes
        read = nodes * best * size
        paper.add_row(str(nodes), f"{seconds / 3600:.0f}", f"{read:.1f}", f"{start / seconds:.1e}")
    Console().print(paper)
    figures = {"benchmark": "ray_cluster", "megapixels": typed.megapixels, "count": typed.count}
    figures |= {"settings": typed.settings, "megabytes": size, "rows": rows}
    print(json.dumps(figures | {"machine": describe()}))


if __name__ == "__main__":
    main()
