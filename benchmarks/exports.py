"""Measures exported files: their size, how long a picture takes in their runtime, how exact they are.

    python benchmarks/exports.py [STYLE …] [--size 640x480] [--threads 1] [--repeats 5] [--only NAME …]

Time is that of the processor, of all threads together, so other work on the machine counts little;
with one thread it is about the time that passes on an idle core. The least of the repeats counts.
The difference from PyTorch in float32 is that of a bundled photo, in levels of 255. Formats whose
libraries are missing are left out.
"""

import argparse
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from machine import describe
from rich.console import Console
from rich.table import Table

from fasttransfer.core.libraries import is_installed
from fasttransfer.models.style_file import StyleFile, find_style, load_style
from fasttransfer.stylizing.export import export_style
from fasttransfer.stylizing.exporters import executorch_file, litert_file
from fasttransfer.stylizing.exporters.conventional import difference, sample
from fasttransfer.stylizing.exporters.onnx_file import runner
from fasttransfer.stylizing.exporters.settings import ExportSettings

Run = Callable[[np.ndarray], np.ndarray]


def in_onnxruntime(path: Path) -> Run:
    return runner(import_module("onnxruntime"), str(path))


def in_opencv(path: Path) -> Run:
    import cv2

    cv2.setNumThreads(torch.get_num_threads())
    network: Any = cv2.dnn.readNetFromONNX(str(path))

    def run(content: np.ndarray) -> np.ndarray:
        network.setInput(content)
        return network.forward()

    return run


# What is measured: the library that runs it, the settings, and what makes the file ready.
ROWS: dict[str, tuple[str, dict[str, Any], Callable[[Path], Run]]] = {
    "ONNX Runtime": ("onnxruntime", {}, in_onnxruntime),
    "ONNX Runtime, half": ("onnxruntime", {"half": True}, in_onnxruntime),
    "ONNX Runtime, int8": ("onnxruntime", {"precision": "int8"}, in_onnxruntime),
    "OpenCV": ("cv2", {}, in_opencv),
    "ExecuTorch": ("executorch", {"format": "executorch"}, executorch_file.runner),
    "LiteRT": ("litert_torch", {"format": "litert"}, litert_file.runner),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("styles", nargs="*", default=["mosaic", "mosaic_realtime"])
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=[*ROWS], metavar="NAME")
    typed = parser.parse_args()
    torch.set_num_threads(typed.threads)
    table = Table(
        "style", "runs in", "MB", "ms", "mean", "most", title=f"{typed.size}, {describe()}"
    )
    for name in typed.styles:
        style = load_style(find_style(name))
        for row in typed.only:
            library, settings, open_file = ROWS[row]
            if is_installed(library):
                chosen = ExportSettings(size=typed.size, **settings)
                table.add_row(name, row, *measured(style, chosen, open_file, typed.repeats))
    Console(width=120).print(table)


def measured(
    style: StyleFile, settings: ExportSettings, open_file: Callable[[Path], Run], repeats: int
) -> tuple[str, ...]:
    size = settings.convention.size
    assert size is not None
    with TemporaryDirectory() as folder:
        written = export_style(style, folder, settings)
        run = open_file(written.path)
        content = sample(settings.convention, 1, *size).numpy()
        run(content)
        times = []
        for _ in range(repeats):
            start = time.process_time()
            run(content)
            times.append(time.process_time() - start)
        megabytes = written.path.stat().st_size / 1e6
    found = difference(run, style.network, settings.convention, settings.computes_in)
    milliseconds = f"{min(times) * 1000:.0f}"
    return f"{megabytes:.2f}", milliseconds, f"{found.mean:.2g}", f"{found.most:.2g}"


if __name__ == "__main__":
    main()
