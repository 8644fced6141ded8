"""Measures time and peak memory of infer.py on pictures of growing size, whole and in tiles.

The pictures are bundled photos, enlarged and repeated; the network has random weights. Each is stylized
in a separate process. If --tiles starts with off, the other modes are compared with it.

    python benchmarks/large_pictures.py [--network default] [--megapixels 1 4 16 64]
        [--tiles off exact thumbnail] [--style NAME] [--kind tif] [--plot large.png]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyvips
from machine import describe, peak_mb
from presets import network_of
from rich.console import Console
from rich.table import Table

from fasttransfer.core.libraries import require
from fasttransfer.data.photos import photo_folder
from fasttransfer.models.style_file import save_style

SCRIPT = Path(__file__).parents[1] / "infer.py"
Row = dict[str, float | str]
SAVED: dict[str, dict[str, object]] = {
    "tif": {"compression": "deflate", "tile": True, "bigtiff": True},
    "jpg": {"Q": 90},
    "png": {},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="default")
    parser.add_argument("--style", help="a trained one instead of random weights")
    parser.add_argument("--megapixels", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--tiles", nargs="+", default=["exact", "thumbnail"])
    parser.add_argument("--kind", choices=sorted(SAVED), default="tif", help="of the files")
    parser.add_argument("--folder", help="where the pictures go for a while")
    parser.add_argument("--plot", help="a picture of seconds and memory over the size")
    typed = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(dir=typed.folder) as place:
        style = f"{place}/random.safetensors"
        save_style(style, network_of(typed.network), {"name": "random"})
        for megapixels in typed.megapixels:
            picture = make_picture(Path(place, f"{megapixels}.{typed.kind}"), megapixels)
            for tiles in typed.tiles:
                measured = measure(picture, tiles, typed.style or style)
                rows.append({"megapixels": megapixels, "tiles": tiles} | measured)
                print(rows[-1], file=sys.stderr)
            picture.unlink()
    titles = ("megapixels", "tiles", "seconds", "s a megapixel", "peak, MB", "pixels off", "mean")
    table = Table(*titles, title=f"{typed.style or typed.network}, {describe()}")
    for row in rows:
        seconds, size = float(row["seconds"]), float(row["megapixels"])
        numbers = (f"{seconds:.1f}", f"{seconds / size:.2f}", f"{row['peak_mb']:.0f}")
        off = (f"{row['pixels_off']:.2g}", f"{row['mean_off']:.2g}") if "mean_off" in row else ()
        table.add_row(str(row["megapixels"]), str(row["tiles"]), *numbers, *off)
    Console().print(table)
    if typed.plot:
        plot(rows, typed.plot)
    figures = {"benchmark": "large_pictures", "network": typed.network, "rows": rows}
    print(json.dumps(figures | {"machine": describe()}))


def make_picture(path: Path, megapixels: int) -> Path:
    """Four wide to three high."""
    photo = pyvips.Image.new_from_file(str(sorted(photo_folder("bundled").glob("*.jpg"))[0]))
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    width = round(megapixels * 1e6 / height)
    large = photo.resize(4)
    across, down = -(-width // large.width), -(-height // large.height)
    picture = large.replicate(across, down).crop(0, 0, width, height)
    picture.write_to_file(str(path), **SAVED[path.suffix[1:]])
    return path


def measure(picture: Path, tiles: str, style: str) -> Row:
    """Stylizes ``picture`` in a process of its own.

    Seconds and its peak; and, beside what was done with tiles=off before, the share of pixels that
    differ and the mean difference in levels of 255.
    """
    # A name for each, since libvips remembers what it has read.
    output, whole = (picture.with_name(f"{kind}-{picture.name}") for kind in (tiles, "off"))
    typed = [f"style={style}", f"input={picture.name}", f"output={output.name}"]
    typed += ["device=cpu", "engine=torch", f"tiles={tiles}", "max_pixels=10_000_000_000"]
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, str(SCRIPT), *typed], cwd=picture.parent)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"infer.py ended with {process.returncode} on {picture.name}")
    seconds = round(time.perf_counter() - start, 1)
    row: Row = {"seconds": seconds, "peak_mb": round(peak_mb(usage))}
    if tiles == "off":
        return row
    if whole.exists():
        one, other = (pyvips.Image.new_from_file(str(path)) for path in (output, whole))
        difference = (one - other).abs()
        row["pixels_off"] = (difference.bandbool("or") > 0).avg() / 255
        row["mean_off"] = difference.avg()
    output.unlink()
    return row


def plot(rows: list[Row], path: str) -> None:
    """Seconds a megapixel, and peak memory, over megapixels."""
    pyplot = require("matplotlib.pyplot", "dev", "--plot")
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.2))
    for tiles in dict.fromkeys(str(row["tiles"]) for row in rows):
        of = [row for row in rows if row["tiles"] == tiles]
        sizes = [float(row["megapixels"]) for row in of]
        left.plot(
            sizes, [float(r["seconds"]) / float(r["megapixels"]) for r in of], "o-", label=tiles
        )
        right.plot(sizes, [float(r["peak_mb"]) for r in of], "o-", label=tiles)
    for axes, name in ((left, "seconds a megapixel"), (right, "peak memory, MB")):
        axes.set(xscale="log", xlabel="megapixels", ylabel=name)
        axes.set_ylim(bottom=0)
        axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
