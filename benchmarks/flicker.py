"""Measures flicker of stylized clips and scores over photos: the gain and cost of the temporal loss.

    python benchmarks/flicker.py runs/still runs/video … [--clip clip.mp4 …] [--frames 48]

Generates its clips from bundled photos that no style is trained on: a pan, a zoom, and a shaking
hand, sampled at fractions of a pixel, with sensor noise; --clip adds real ones. Each style must
come with its style image, as in a run folder. The error is explained in
``fasttransfer/evaluation/flicker.py``.
"""

import argparse
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from machine import describe
from rich.console import Console
from rich.table import Table

from fasttransfer.data.photos import photo_folder, read_probe
from fasttransfer.evaluation.comparison import labels
from fasttransfer.evaluation.flicker import Frame, measure_flicker
from fasttransfer.evaluation.photos_and_clips import Player, read_clips
from fasttransfer.evaluation.scores import score
from fasttransfer.evaluation.style_evaluator import style_image_of
from fasttransfer.losses.temporal import warp
from fasttransfer.models.style_file import find_style, load_style
from fasttransfer.models.vgg import VGG16Features
from fasttransfer.stylizing.settings import EngineSettings
from fasttransfer.stylizing.stylizer import Stylizer
from fasttransfer.video.settings import VideoSettings

MAX_PIXELS = 10**8
SIZE = 640  # longer side of photos and clips
PROBE = partial(read_probe, photo_folder("bundled-probe"), count=8, max_pixels=MAX_PIXELS)
HEIGHT, WIDTH = 320, 448  # of the view that moves over a photo
NOISE = 2  # standard deviation in 8-bit levels: a camera by day


def view(photo: torch.Tensor, x: float, y: float, size: float) -> torch.Tensor:
    """A part of a photo (3, H, W), moved from its middle.

    It has HEIGHT×WIDTH pixels, from ``size`` times as many, and x and y are pixels of the photo.
    """
    height, width = photo.shape[1:]
    rows = (torch.arange(height) - (height - 1) / 2)[:, None].expand(height, width)
    columns = (torch.arange(width) - (width - 1) / 2).expand(height, width)
    flow = torch.stack([(size - 1) * columns + x, (size - 1) * rows + y])
    top, left = (height - HEIGHT) // 2, (width - WIDTH) // 2
    moved = warp(photo[None], flow[None])[0]
    return moved[:, top : top + HEIGHT, left : left + WIDTH]


def moving(photo: torch.Tensor, path: list[tuple[float, float, float]]) -> Iterator[Frame]:
    """The frames seen along a ``path`` of (x, y, size), with noise."""
    noise = np.random.default_rng(0)
    for place in path:
        seen = 255 * view(photo, *place).permute(1, 2, 0).numpy()
        noisy = seen + noise.normal(0, NOISE, seen.shape)
        yield np.rint(noisy).clip(0, 255).astype(np.uint8)


def made_clips(frames: int) -> dict[str, Player]:
    """A pan, a zoom and a shake over three photos; at 48 frames and 25 a second, two seconds."""
    photos = {path.stem: photo for path, photo in PROBE(size=SIZE).items()}
    time = np.linspace(-1, 1, frames)
    pan = [(60 * t, 15 * t, 1.0) for t in time]
    zoom = [(0.0, 0.0, 0.84 * 1.3**-t) for t in time]
    # A hand drifts slowly and trembles by a pixel or two: three sines without a common period.
    seconds = np.arange(frames) / 25
    beats = [(2 * np.pi * rate, size) for rate, size in ((0.7, 12), (2.3, 4), (7.1, 1.2))]
    shake = [
        (
            sum(size * np.sin(beat * s) for beat, size in beats),
            sum(size * np.sin(beat * 1.13 * s + 1) for beat, size in beats),
            1.0,
        )
        for s in seconds
    ]
    paths = {
        "pan": ("chenonceau", pan),
        "zoom": ("machu-picchu", zoom),
        "shake": ("astronaut", shake),
    }
    return {kind: partial(moving, photos[name], path) for kind, (name, path) in paths.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("styles", nargs="+", help="run folders or style files")
    parser.add_argument("--clip", nargs="*", default=[], help="video files to measure as well")
    parser.add_argument("--frames", type=int, default=48, help="of each clip at most")
    parser.add_argument("--size", type=int, default=384, help="longer side of the photos scored")
    typed = parser.parse_args()
    clips = made_clips(typed.frames)
    settings = VideoSettings(codec="auto", crf=20, preset="auto", threads=0, queue=8)
    files = [Path(path) for path in typed.clip]
    clips |= read_clips(files, SIZE, typed.frames, MAX_PIXELS, settings, Console())
    paths = [find_style(style) for style in typed.styles]
    names = labels(paths)
    stylizers = [
        Stylizer(path, engine=EngineSettings("torch", precision="float32")) for path in paths
    ]
    figures: dict[str, dict[str, float]] = {name: {} for name in ("(input)", *names)}
    for clip, play in clips.items():
        found = measure_flicker(play(), [map(s.frame, play()) for s in stylizers])
        figures["(input)"][clip] = found[0].content
        for name, flicker in zip(names, found, strict=True):
            figures[name][clip] = flicker.excess
    features = VGG16Features("bundled")
    photos = list(PROBE(size=typed.size).values())
    for name, path in zip(names, paths, strict=True):
        style_file = load_style(path)
        style = style_image_of(path, style_file)
        if style is None:
            raise SystemExit(f"{path} has no style image with it; give its run folder.")
        figures[name]["mean"] = fmean(figures[name].values())
        scores = score(style_file.network, photos, style, features)
        figures[name]["objective"] = scores["balanced_total"]
    table = Table("", *figures, title="warping error: the input's own, and the excess over it")
    for row in (*clips, "mean", "objective"):
        shown = (f"{found[row]:.2f}" if row in found else "" for found in figures.values())
        table.add_row(row, *shown)
    Console().print(table)
    print(json.dumps(figures | {"machine": describe()}))


if __name__ == "__main__":
    main()
