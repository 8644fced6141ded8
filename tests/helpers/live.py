"""Live sessions with tiny networks, and the command that serves one."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from fasttransfer.large.settings import TileSettings
from fasttransfer.live.session import Session
from fasttransfer.live.settings import SessionSettings
from fasttransfer.models.style_file import StyleFile, save_style
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.pipeline.settings import MediaSettings
from fasttransfer.stylizing.settings import EngineSettings
from fasttransfer.stylizing.stylizer import Stylizer
from fasttransfer.video.settings import VideoSettings
from fasttransfer.video.writer import VideoWriter

SCRIPT = Path(__file__).parents[2] / "infer.py"
SETTINGS = VideoSettings(codec="auto", crf=20, preset="auto", threads=1, queue=4)
MEDIA = MediaSettings(TileSettings("auto", None, 1024, 1024), SETTINGS, max_pixels=10**6)


def write_clip(path: Path, levels: list[int], times: list[float], size: tuple[int, int]) -> Path:
    """A video of plain gray pictures."""
    with VideoWriter(path, SETTINGS) as writer:
        for level, seconds in zip(levels, times, strict=True):
            writer.write(np.full((size[1], size[0], 3), level, np.uint8), seconds)
    return path


def stylizers(*names: str) -> list[Stylizer]:
    """Tiny networks with random weights, all different."""
    found = []
    for seed, name in enumerate(names):
        torch.manual_seed(seed)
        network = TransformerNet([4, 8], 1, 3, 2, False).eval()
        style = StyleFile(network, name, {})
        found.append(Stylizer(style, engine=EngineSettings("torch", "cpu", "float32")))
    return found


def make_session(folder: Path, camera: str = "camera:pattern", max_age: float = 30) -> Session:
    """A session of two styles, not started yet."""
    settings = SessionSettings(
        size=64, rate=30, quality=85, max_age=max_age, max_saved=10**9, video=SETTINGS, media=MEDIA
    )
    return Session(stylizers("wood", "ink"), camera, str(folder), settings)


@contextmanager
def running(session: Session) -> Iterator[Session]:
    """A session from its start to its end."""
    session.start()
    try:
        yield session
    finally:
        session.close()


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@contextmanager
def command(folder: Path, *typed: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``infer.py`` with two small styles, as it is typed; yields it and the page's address."""
    for seed, name in enumerate(("wood", "ink")):
        torch.manual_seed(seed)
        network = TransformerNet([4, 8], 1, 3, 2, False)
        save_style(folder / f"{name}.safetensors", network, {"name": name})
    styles = "style=[wood.safetensors,ink.safetensors]"
    own = (
        "engine=torch",
        "device=cpu",
        "live.port=0",
        "live.open_browser=false",
        "live.max_age=30",
        "size=64",
    )
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), styles, *own, *typed],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        answer = process.stderr.readline()
        found = re.search(r"http://\S+", answer)
        assert found, answer + process.stderr.read()
        yield process, found[0]
    finally:
        process.kill()
        process.communicate()
