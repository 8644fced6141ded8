"""Frames per second of an exported page in Chromium, beside Python's engines on the same machine.

A page of bundled styles is exported, served with the headers that allow threads, and opened in
headless Chromium. There its own worker gets frames: RGBA bytes in, a bitmap out. Python gets frames
of the same sizes, bytes in and bytes out. Rows take turns. Beside the median there is the fastest
frame, and the processor time of a frame, which other work on the machine changes little. That of one
thread is what a frame takes on an idle machine.

Needs Chromium, the extra web, and the checkout's folder in ``PYTHONPATH``, as tests/helpers drives
Chromium.

    python benchmarks/web.py [STYLE …] [--frames 10] [--sizes 320x240,256x256] [--threads 1,2] [--gpu]
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import psutil
import torch
from machine import describe
from rich.console import Console
from rich.table import Table

from fasttransfer.core.errors import FastTransferError
from fasttransfer.stylizing.engine import Engine
from fasttransfer.stylizing.engines import open_engine
from fasttransfer.stylizing.settings import EngineSettings
from fasttransfer.stylizing.stylizer import Stylizer
from fasttransfer.web.site import export_site
from tests.helpers.chromium import Page, open_page
from tests.helpers.sites import ISOLATED, address, host

SIZES = "320x240,256x256,512x512,640x480"
ENGINES = ("torch", "openvino", "onnxruntime")
GOAL = 8.0  # frames per second of realtime at 320×240 in WebAssembly on two cores
BURST = 2  # frames of one row before the next has its turn

START = """(async () => {
  const { startPainter } = await import('./web/painter.js');
  window.painter = await startPainter(await (await fetch('site.json')).json());
  return `${painter.provider} ${painter.threads}`;
})()"""
FRAMES = """(async () => {{
  const levels = crypto.getRandomValues(new Uint8Array(65536)), count = {width} * {height} * 4;
  if (window.noise?.length !== count) {{
    window.noise = new Uint8Array(count).map((_, i) => levels[i % 65536]);
  }}
  const times = [];
  for (let n = 0; n < {frames}; n++) {{
    const pixels = noise.slice().buffer;
    const start = performance.now();
    const asked = {{ pixels, width: {width}, height: {height}, shares: {{ '{style}': 1 }} }};
    const {{ bitmap }} = await painter.frame({{ ...asked, strength: 1, color: 'style' }});
    times.push((performance.now() - start) / 1000);
    bitmap.close();
  }}
  return times;
}})()"""


class Runner(Protocol):
    """Stylizes frames."""

    def frames(self, style: str, width: int, height: int, count: int) -> list[float]:
        """Seconds of each of ``count`` frames."""


@dataclass
class Times:
    """Of one row: seconds of each frame, and of the processor in all."""

    frames: list[float] = field(default_factory=list)
    processor: float = 0.0


class InBrowser:
    """The page in one tab."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def frames(self, style: str, width: int, height: int, count: int) -> list[float]:
        """See ``Runner``."""
        typed = {"style": style, "width": width, "height": height, "frames": count}
        return [float(seconds) for seconds in self._page.run(FRAMES.format(**typed))]


class InPython:
    """One engine in this process."""

    def __init__(self, name: str, threads: int, styles: list[str]) -> None:
        self._threads = threads
        torch.set_num_threads(threads)
        settings = EngineSettings(name, "cpu", "float32")
        self._engines: dict[str, Engine] = {
            style: open_engine(Stylizer(style).network, settings) for style in styles
        }

    def frames(self, style: str, width: int, height: int, count: int) -> list[float]:
        """See ``Runner``."""
        torch.set_num_threads(self._threads)
        frame = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), dtype=np.uint8)
        times = []
        for _ in range(count):
            start = time.perf_counter()
            self._engines[style].frames(frame)
            times.append(time.perf_counter() - start)
        return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("styles", nargs="*", default=["mosaic_realtime", "mosaic"])
    parser.add_argument("--frames", type=int, default=10, help="measured of each row")
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--runtime", help="folder dist of onnxruntime-web")
    parser.add_argument("--gpu", action="store_true", help="also WebGPU")
    typed = parser.parse_args()
    sizes = [tuple(map(int, size.split("x"))) for size in typed.sizes.split(",")]
    threads = [int(number) for number in typed.threads.split(",")]
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        torch_only = EngineSettings("torch", "cpu", "float32")
        stylizers = [Stylizer(style, engine=torch_only) for style in typed.styles]
        export_site(stylizers, str(site), runtime=typed.runtime, overwrite=False)
        server = stack.enter_context(host(site, ISOLATED))
        rows: dict[tuple[str, int], Runner] = {}
        for number in threads:
            rows["WebAssembly", number] = stack.enter_context(in_browser(address(server), number))
            rows |= in_python(number, typed.styles)
        if typed.gpu:
            rows["WebGPU", 1] = stack.enter_context(in_browser(address(server), 1, "webgpu"))
        found = measure(rows, typed.styles, sizes, typed.frames)
    show(found)


@contextmanager
def in_browser(url: str, threads: int, provider: str = "wasm") -> Iterator[InBrowser]:
    """A tab with the page, whose worker has so many threads."""
    gpu = ("--enable-unsafe-webgpu", "--enable-features=Vulkan") if provider == "webgpu" else ()
    # Not the page itself, which would look for a camera meanwhile.
    with open_page(f"{url}licenses.txt?threads={threads}&provider={provider}", *gpu) as page:
        page.until("document.body?.textContent.includes('MIT License')", 120)
        assert page.run(START) == f"{provider} {threads}"
        yield InBrowser(page)


def in_python(threads: int, styles: list[str]) -> dict[tuple[str, int], Runner]:
    """The engines that are installed."""
    found: dict[tuple[str, int], Runner] = {}
    for name in ENGINES:
        try:
            found[name, threads] = InPython(name, threads, styles)
        except FastTransferError:
            continue
    return found


def measure(
    rows: dict[tuple[str, int], Runner],
    styles: list[str],
    sizes: list[tuple[int, ...]],
    frames: int,
) -> dict[tuple[str, tuple[int, ...], str, int], Times]:
    """Times by style, size, runner, and threads; the first frame of each turn does not count."""
    found: dict[tuple[str, tuple[int, ...], str, int], Times] = {}
    for style in styles:
        for size in sizes:
            for _ in range(-(-frames // BURST)):
                for (name, threads), runner in rows.items():
                    runner.frames(style, size[0], size[1], 1)
                    times = found.setdefault((style, size, name, threads), Times())
                    before = processor_seconds()
                    times.frames += runner.frames(style, size[0], size[1], BURST)
                    times.processor += processor_seconds() - before
    return found


def processor_seconds() -> float:
    """Of this process and the browsers that it started, so far."""
    own = psutil.Process()
    seconds = 0.0
    for process in (own, *own.children(recursive=True)):
        try:
            seconds += sum(process.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    return seconds


def show(found: dict[tuple[str, tuple[int, ...], str, int], Times]) -> None:
    title = f"frames per second on {describe()}"
    table = Table(
        "style", "size", "runs in", "threads", "median", "fastest", "processor ms", title=title
    )
    results = []
    for (style, size, name, threads), times in found.items():
        median, fastest = 1 / statistics.median(times.frames), 1 / min(times.frames)
        processor = 1000 * times.processor / len(times.frames)
        shape = "x".join(map(str, size))
        numbers = (f"{median:.1f}", f"{fastest:.1f}", f"{processor:.0f}")
        table.add_row(style, shape, name, str(threads), *numbers)
        result = {"style": style, "size": shape, "runs_in": name, "threads": threads}
        results.append(result | {"median": median, "fastest": fastest, "processor_ms": processor})
    Console().print(table)
    print(json.dumps({"benchmark": "web", "goal": GOAL, "results": results, "machine": describe()}))


if __name__ == "__main__":
    main()
