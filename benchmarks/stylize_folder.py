"""Images per second when a folder of photos is stylized on the CPU: `default` against `johnson`.

Both networks go the whole way that infer.py goes, from files to files: decoding, the network,
encoding, with reading and writing beside the network. Their weights are random, which changes the
picture but not the time. Rounds alternate, so that a busy machine slows both alike.

    python benchmarks/stylize_folder.py [FOLDER] [--count 100] [--size 512] [--rounds 3]
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

import torch
from hydra.utils import instantiate
from machine import describe
from omegaconf import OmegaConf
from presets import network_of
from rich.console import Console
from rich.table import Table

import fasttransfer
from fasttransfer.core.assets import CONF_DIR
from fasttransfer.core.progress import Report
from fasttransfer.models.style_file import StyleFile
from fasttransfer.pipeline.media import open_media
from fasttransfer.pipeline.planning import find_media
from fasttransfer.pipeline.runner import stylize_all
from fasttransfer.stylizing.settings import EngineSettings, StylizerSettings
from fasttransfer.stylizing.stylizer import Stylizer

PHOTOS = Path(fasttransfer.__file__).parent / "assets" / "photos"
NETWORKS = ("default", "johnson")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default=str(PHOTOS), help="default: bundled photos")
    parser.add_argument("--count", type=int, default=100, help="photos; repeated if fewer")
    parser.add_argument("--size", type=int, help="longer side in pixels; default: the photos' own")
    parser.add_argument("--rounds", type=int, default=3)
    typed = parser.parse_args()
    stylizers = {name: build(name, typed.size) for name in NETWORKS}
    rates: dict[str, list[float]] = {name: [] for name in NETWORKS}
    with tempfile.TemporaryDirectory() as place:
        photos = Path(place, "photos")
        photos.mkdir()
        found, _ = find_media([typed.folder])
        for number, photo in enumerate(islice(cycle(found), typed.count)):
            shutil.copy(photo, photos / f"{number:04}{photo.suffix}")
        for stylizer in stylizers.values():
            stylizer(torch.rand(3, 256, 256))  # the first call prepares kernels
        for _ in range(typed.rounds):
            for name, stylizer in stylizers.items():
                rates[name].append(measure(stylizer, photos, Path(place, "out")))
    show(rates, typed)


def build(name: str, size: int | None) -> Stylizer:
    """A stylizer with random weights of the shape in conf/network/NAME.yaml."""
    style = StyleFile(network_of(name), name)
    return Stylizer(style, StylizerSettings(size), EngineSettings("torch", "cpu"))


def measure(stylizer: Stylizer, photos: Path, out: Path) -> float:
    """Images per second, from the first file opened to the last one written."""
    settings = OmegaConf.load(CONF_DIR / "infer" / "infer.yaml")
    settings.merge_with({"size": stylizer.settings.size, "overwrite": True})
    media = instantiate(settings.media)
    report = Report(console=Console(quiet=True))
    start = time.perf_counter()
    jobs = instantiate(settings.planning)([str(photos)], str(out), stylizer.name, False, report)
    for pipeline in open_media(jobs, stylizer, media, report):
        stylize_all(pipeline, report)
    seconds = time.perf_counter() - start
    if report.failures:
        raise SystemExit("\n".join(report.failures))
    return len(report.done) / seconds


def show(rates: dict[str, list[float]], typed: argparse.Namespace) -> None:
    medians = {name: statistics.median(values) for name, values in rates.items()}
    ratio = medians["default"] / medians["johnson"]
    title = f"{typed.count} photos on {describe()}"
    table = Table("network", "images/s (median)", "every round", title=title)
    for name, values in rates.items():
        table.add_row(name, f"{medians[name]:.2f}", " ".join(f"{v:.2f}" for v in values))
    table.add_row("ratio", f"{ratio:.2f}", "goal: at least 6")
    Console().print(table)
    figures = {f"{name}_images_per_second": round(value, 3) for name, value in medians.items()}
    figures |= {"ratio": round(ratio, 3), "rounds": typed.rounds, "photos": typed.count}
    print(json.dumps({"benchmark": "stylize_folder", **figures, "machine": describe()}))


if __name__ == "__main__":
    main()
