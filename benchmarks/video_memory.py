"""Measures peak memory of infer.py on clips of 10 s and 10 min: it must not grow.

Both clips are made in a temporary folder, with sound, and go through a tiny network of random
weights, since only what is held of the video matters here.

    python benchmarks/video_memory.py [--width 160] [--height 120] [--rate 25] [--seconds 10 600]
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from machine import describe, peak_mb
from rich.console import Console
from rich.table import Table

from fasttransfer.models.style_file import save_style
from fasttransfer.models.transformer_net import TransformerNet

SCRIPT = Path(__file__).parents[1] / "infer.py"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=160)
    parser.add_argument("--height", type=int, default=120)
    parser.add_argument("--rate", type=int, default=25, help="frames a second")
    parser.add_argument("--seconds", type=int, nargs=2, default=[10, 600])
    typed = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as place:
        torch.manual_seed(0)
        save_style(
            f"{place}/tiny.safetensors", TransformerNet([4, 4], 1, 3, 4, False), {"name": "t"}
        )
        for seconds in typed.seconds:
            clip = make_clip(Path(place, f"{seconds}.mp4"), seconds, typed)
            rows.append((seconds, *measure(clip, Path(place))))
    size = f"{typed.width}×{typed.height}"
    table = Table(
        "clip", "frames", "peak memory, MB", "seconds taken", title=f"{size}, {describe()}"
    )
    for seconds, frames, megabytes, taken in rows:
        table.add_row(f"{seconds} s", str(frames), f"{megabytes:.0f}", f"{taken:.0f}")
    Console().print(table)
    figures = {f"peak_mb_{seconds}s": round(mb, 1) for seconds, _, mb, _ in rows}
    growth = round(rows[1][2] / rows[0][2], 3)
    print(
        json.dumps(
            {"benchmark": "video_memory", **figures, "growth": growth, "machine": describe()}
        )
    )


def make_clip(path: Path, seconds: int, typed: argparse.Namespace) -> Path:
    """Moving stripes and a tone."""
    x = np.arange(typed.width)[None] + np.arange(typed.height)[:, None]
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", typed.rate, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = typed.width, typed.height, "yuv420p"
        sound = container.add_stream("aac", 48_000)
        tone = np.sin(np.arange(48_000) * (2 * math.pi * 440 / 48_000)).astype(np.float32)
        for second in range(seconds):
            for number in range(second * typed.rate, (second + 1) * typed.rate):
                gray = (128 + 100 * np.sin((x + 3 * number) / 9)).astype(np.uint8)
                pixels = np.stack([gray, np.roll(gray, number, 1), 255 - gray], -1)
                frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
                container.mux(video.encode(frame))
            heard = av.AudioFrame.from_ndarray(np.stack([tone, tone]), "fltp", "stereo")
            heard.sample_rate, heard.pts = 48_000, second * 48_000
            heard.time_base = Fraction(1, 48_000)
            container.mux(sound.encode(heard))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
    return path


def measure(clip: Path, place: Path) -> tuple[int, float, float]:
    """Stylizes ``clip`` in a process of its own: frames written, its peak in MB, and seconds."""
    output = clip.with_name(f"stylized-{clip.name}")
    typed = ["style=tiny.safetensors", f"input={clip.name}", f"output={output.name}", "device=cpu"]
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, str(SCRIPT), *typed], cwd=place)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"infer.py ended with {process.returncode} on {clip}")
    with av.open(str(output)) as container:
        frames = container.streams.video[0].frames
    return frames, peak_mb(usage), time.perf_counter() - start


if __name__ == "__main__":
    main()
