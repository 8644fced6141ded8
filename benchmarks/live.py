"""Frames per second at 640×480: today's common code against the presets on every engine.

`plain` is the johnson network in PyTorch, float32, eager, from bytes to bytes. Every preset runs on
every engine and precision that works here; its row is the fastest of them. All rows take turns, some
frames at a time, so that a busy machine slows them alike; weights are random, which changes the
picture but not the time. `end_to_end` is a video file through `realtime` into a video file, decoding
and encoding included. What the reduced precisions do to the pictures of trained styles comes first.

    python benchmarks/live.py [STYLE …] [--frames 30] [--clip-seconds 10] [--threads 2]
"""

import argparse
import json
import statistics
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hydra.utils import instantiate
from machine import describe
from omegaconf import OmegaConf
from presets import network_of, plain_johnson
from rich.console import Console
from rich.table import Table

import fasttransfer
from fasttransfer.core.assets import CONF_DIR
from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.progress import Report
from fasttransfer.images.reading import read_picture
from fasttransfer.images.tensors import resize_to, to_bytes
from fasttransfer.models.style_file import StyleFile, bundled_styles, find_style, load_style
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.pipeline.media import open_media
from fasttransfer.pipeline.runner import stylize_all
from fasttransfer.stylizing.engine import Engine
from fasttransfer.stylizing.engines import open_engine
from fasttransfer.stylizing.settings import EngineSettings
from fasttransfer.stylizing.stylizer import Stylizer
from fasttransfer.video.settings import VideoSettings
from fasttransfer.video.writer import VideoWriter

HEIGHT, WIDTH = 480, 640
PROBE = Path(fasttransfer.__file__).parent / "assets" / "photos" / "probe"
GOALS = {"johnson": (4, 0), "default": (20, 24), "realtime": (60, 75), "end_to_end": (0, 50)}
CANDIDATES = [
    *product(["torch"], ["float32", "bfloat16"]),
    *product(["openvino"], ["float32", "bfloat16", "int8"]),
    ("onnxruntime", "float32"),
]
BURST = 5  # frames of one row before the next has its turn

Row = tuple[str, str, str]  # network, engine, precision


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("styles", nargs="*", default=bundled_styles(), help="for the pictures")
    parser.add_argument("--frames", type=int, default=30, help="measured of each row, at least")
    parser.add_argument("--clip-seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3, help="of the clip")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    typed = parser.parse_args()
    torch.set_num_threads(typed.threads)
    console = Console()
    for style in typed.styles:
        show_pictures(style, console)
    rows: dict[Row, Engine | PlainEngine] = {("plain", "torch", "float32"): PlainEngine()}
    for preset in ("johnson", "default", "realtime"):
        rows |= {(preset, e.name, e.precision): e for e in engines(network_of(preset))}
    times = measure(rows, typed.frames)
    fps = {row: 1 / statistics.median(seconds) for row, seconds in times.items()}
    best = {
        preset: max((row for row in rows if row[0] == preset), key=lambda row: fps[row])
        for preset in ("plain", "johnson", "default", "realtime")
    }
    results = {preset: result(fps[row], fps, row) for preset, row in best.items()}
    clip = end_to_end(best["realtime"], typed.clip_seconds, typed.rounds)
    results["end_to_end"] = result(clip, fps, ("end_to_end", *best["realtime"][1:]))
    show(times, fps, results, console)
    print(json.dumps({**results, "frames": len(next(iter(times.values()))), "machine": describe()}))


class PlainEngine:
    """What people copy today, except that gradients are off."""

    name, precision = "torch", "float32"

    def __init__(self) -> None:
        self.network = plain_johnson()

    @torch.no_grad()
    def frames(self, frames: np.ndarray) -> np.ndarray:
        photo = torch.from_numpy(frames).permute(0, 3, 1, 2).float().div(255)
        stylized = self.network(photo).mul(255).clamp(0, 255)
        return stylized.permute(0, 2, 3, 1).to(torch.uint8).numpy()


def engines(network: TransformerNet) -> list[Engine]:
    """Every engine and precision that this machine has."""
    found = []
    for name, precision in CANDIDATES:
        try:
            found.append(open_engine(network, EngineSettings(name, "cpu", precision)))
        except FastTransferError:  # no bfloat16 in this processor, or not installed
            continue
    return found


def measure(rows: dict[Row, Engine | PlainEngine], frames: int) -> dict[Row, list[float]]:
    """Seconds of each frame; the first of every burst warms up and does not count."""
    photo = frame(sorted(PROBE.glob("*.jpg"))[0])
    times: dict[Row, list[float]] = {row: [] for row in rows}
    for engine in rows.values():
        engine.frames(photo)  # compiles
    for _ in range(-(-frames // BURST)):
        for row, engine in rows.items():
            for number in range(BURST + 1):
                start = time.perf_counter()
                engine.frames(photo)
                if number:
                    times[row].append(time.perf_counter() - start)
    return times


def frame(path: Path) -> np.ndarray:
    """A photo as a video frame, (1, 480, 640, 3) bytes."""
    photo = resize_to(read_picture(path, max_pixels=10**8).rgb, HEIGHT, WIDTH)
    return to_bytes(photo[None]).contiguous().numpy()


def end_to_end(row: Row, seconds: float, rounds: int) -> float:
    """Frames per second from a video file to a video file, as infer.py does it."""
    _, name, precision = row
    style = StyleFile(network_of("realtime"), "realtime")
    stylizer = Stylizer(style, engine=EngineSettings(name, "cpu", precision))
    stylizer.frame(frame(sorted(PROBE.glob("*.jpg"))[0])[0])
    rates = []
    config = OmegaConf.load(CONF_DIR / "infer" / "infer.yaml")
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder, "clip.mp4")
        count = write_clip(clip, seconds, instantiate(config.video))
        for number in range(rounds):
            report = Report(console=Console(quiet=True))
            output = str(Path(folder, f"out{number}.mp4"))
            start = time.perf_counter()
            jobs = instantiate(config.planning)([str(clip)], output, stylizer.name, False, report)
            for pipeline in open_media(jobs, stylizer, instantiate(config.media), report):
                stylize_all(pipeline, report)
            rates.append(count / (time.perf_counter() - start))
            if report.failures:
                raise SystemExit("\n".join(report.failures))
    return statistics.median(rates)


def write_clip(path: Path, seconds: float, settings: VideoSettings) -> int:
    """A pan over a photo at 30 frames/s, in H.264; how many frames it has."""
    photo = read_picture(sorted(PROBE.glob("*.jpg"))[0], max_pixels=10**8).rgb
    wide = to_bytes(resize_to(photo, 3 * HEIGHT // 2, 3 * WIDTH // 2)[None])[0].numpy()
    count = round(30 * seconds)
    with VideoWriter(path, settings) as writer:
        for number in range(count):
            y, x = (round(side / 2 * number / count) for side in (HEIGHT, WIDTH))
            view = np.ascontiguousarray(wide[y : y + HEIGHT, x : x + WIDTH])
            writer.write(view, number / 30)
    return count


def result(value: float, fps: dict[Row, float], row: Row) -> dict[str, Any]:
    plain = fps["plain", "torch", "float32"]
    figures = {"fps": round(value, 2), "ratio": round(value / plain, 2)}
    return figures | {"engine": row[1], "precision": row[2]}


def show_pictures(name: str, console: Console) -> None:
    """How far every engine is from PyTorch in float32, in 8-bit levels, over the probe photos."""
    style = load_style(find_style(name))
    frames = [frame(path) for path in sorted(PROBE.glob("*.jpg"))]
    exact = [
        open_engine(style.network, EngineSettings("torch", "cpu", "float32")).frames(f).astype(int)
        for f in frames
    ]
    table = Table("engine", "precision", "mean", "99 % below", "worst", title=f"levels off: {name}")
    for engine in engines(style.network)[1:]:
        off = [abs(engine.frames(f) - e) for f, e in zip(frames, exact, strict=True)]
        worst, usual = max(o.max() for o in off), np.percentile(np.stack(off), 99)
        mean = np.mean([o.mean() for o in off])
        table.add_row(engine.name, engine.precision, f"{mean:.3f}", f"{usual:.0f}", str(worst))
    console.print(table)


def show(
    times: dict[Row, list[float]],
    fps: dict[Row, float],
    results: dict[str, dict[str, Any]],
    console: Console,
) -> None:
    plain = fps["plain", "torch", "float32"]
    table = Table("network", "engine", "precision", "ms (median)", "frames/s", "ratio", "goal")
    for row, seconds in times.items():
        best = results[row[0]]["engine"], results[row[0]]["precision"]
        goal = told_goal(row[0]) if row[1:] == best else ""
        milliseconds = f"{1000 * statistics.median(seconds):.1f}"
        table.add_row(*row, milliseconds, f"{fps[row]:.2f}", f"{fps[row] / plain:.1f}", goal)
    clip = results["end_to_end"]
    cells = ("end_to_end", clip["engine"], clip["precision"], "", str(clip["fps"]))
    table.add_row(*cells, str(clip["ratio"]), told_goal("end_to_end"))
    console.print(table)


def told_goal(name: str) -> str:
    ratio, rate = GOALS.get(name, (0, 0))
    parts = ([f"{ratio}×"] if ratio else []) + ([f"{rate} frames/s"] if rate else [])
    return " and ".join(parts)


if __name__ == "__main__":
    main()
