"""Measures what steady= gains and costs: flicker, sharpness, ghosts, and time.

    python benchmarks/steady.py mosaic_realtime … [--clip clip.mp4 …] [--stills stills.png]

The clips are those of ``benchmarks/flicker.py``. Each style stylizes them frame by frame, and the same
frames are steadied. Flow and visible pixels are those of ``fasttransfer/evaluation/flicker.py``, found
at full size and independent of what steadies. Columns: the excess warping error of both; sharpness, the
mean gradient of the steady frames as a share of the others'; and the mean difference of the two where
the flow is invalid and where it is valid.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median

import cv2
import numpy as np
from flicker import MAX_PIXELS, SIZE, made_clips
from machine import describe
from PIL import Image
from rich.console import Console
from rich.table import Table

from fasttransfer.evaluation.flicker import (
    MIN_VISIBLE,
    Frame,
    dense_inverse_search,
    motion,
    warping_error,
)
from fasttransfer.evaluation.photos_and_clips import read_clips
from fasttransfer.models.style_file import find_style
from fasttransfer.stylizing.settings import EngineSettings, SteadySettings
from fasttransfer.stylizing.steadier import Steadier
from fasttransfer.stylizing.stylizer import Stylizer
from fasttransfer.video.settings import VideoSettings

RATE = 25  # frames a second
COLUMNS = ("alone", "steady", "sharpness", "invalid", "valid")
STILLS = 10  # neighboring frames


def gradient(frame: Frame) -> float:
    """Mean absolute difference of neighbors."""
    pixels = frame.astype(np.float32)
    return fmean(float(np.abs(np.diff(pixels, axis=axis)).mean()) for axis in (0, 1))


def steadied(frames: Sequence[Frame], alone: Sequence[Frame]) -> list[Frame]:
    """The stylized frames ``alone`` of a clip, steady."""
    following = iter(alone)
    steadier = Steadier(SteadySettings())
    return [
        steadier(frame, number / RATE, lambda _: next(following))
        for number, frame in enumerate(frames)
    ]


def measured(
    frames: Sequence[Frame], alone: Sequence[Frame], steady: Sequence[Frame]
) -> list[float]:
    """The values of the columns."""
    find_flow, rows = dense_inverse_search(), []
    for number in range(1, len(frames)):
        before, now = number - 1, number
        flow, visible = motion(frames[now], frames[before], find_flow)
        if visible.mean() < MIN_VISIBLE:
            continue
        own, *errors = (
            warping_error(clip[before], clip[now], flow, visible)
            for clip in (frames, alone, steady)
        )
        apart = np.abs(steady[now].astype(np.float32) - alone[now]).mean(-1)
        sharpness = gradient(steady[now]) / gradient(alone[now])
        invalid = float(apart[~visible].mean()) if not visible.all() else np.nan
        rows.append((*(error - own for error in errors), sharpness, invalid, apart[visible].mean()))
    return [float(value) for value in np.nanmean(rows, axis=0)]


def milliseconds(stylizer: Stylizer, frames: Sequence[Frame]) -> tuple[float, float]:
    """Of a frame of 640×480, alone and steady, in turn; medians."""
    large = [cv2.resize(frame, (640, 480)) for frame in frames]
    steadier = Steadier(SteadySettings())
    alone, steady = [], []
    for number, frame in enumerate(large):
        start = time.perf_counter()
        stylizer.frame(frame)
        between = time.perf_counter()
        steadier(frame, number / RATE, stylizer.frame)
        alone.append(1000 * (between - start))
        steady.append(1000 * (time.perf_counter() - between))
    return median(alone[2:]), median(steady[2:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("styles", nargs="+", help="bundled styles, run folders, or style files")
    parser.add_argument("--clip", nargs="*", default=[], help="video files to measure as well")
    parser.add_argument("--frames", type=int, default=48, help="of each clip at most")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--stills", help="a picture of ten neighboring frames, alone above steady")
    typed = parser.parse_args()
    clips = made_clips(typed.frames)
    video = VideoSettings(codec="auto", crf=20, preset="auto", threads=0, queue=8)
    files = [Path(path) for path in typed.clip]
    clips |= read_clips(files, SIZE, typed.frames, MAX_PIXELS, video, Console())
    results: dict[str, dict[str, list[float]]] = {}
    strips = []
    for style in typed.styles:
        engine = EngineSettings(typed.engine, precision=typed.precision)
        stylizer = Stylizer(find_style(style), engine=engine)
        rows = results[stylizer.name] = {}
        for clip, play in clips.items():
            frames = list(play())
            alone = [stylizer.frame(frame) for frame in frames]
            steady = steadied(frames, alone)
            rows[clip] = measured(frames, alone, steady)
            if clip == "pan":
                shown = range(len(frames) - STILLS, len(frames))
                strips += [np.hstack([kind[n][:, :224] for n in shown]) for kind in (alone, steady)]
                rows["ms at 640×480"] = [*milliseconds(stylizer, frames)]
        means = [row for clip, row in rows.items() if clip in clips]
        rows["mean"] = [float(value) for value in np.mean(means, axis=0)]
        table = Table("", *COLUMNS, title=stylizer.name)
        for name, row in rows.items():
            table.add_row(name, *(f"{value:.2f}" for value in row))
        Console().print(table)
    if typed.stills:
        Image.fromarray(np.vstack(strips)).save(typed.stills)
    print(json.dumps(results | {"machine": describe()}))


if __name__ == "__main__":
    main()
