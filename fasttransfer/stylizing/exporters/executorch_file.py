"""ExecuTorch: a .pte file for phones, computed by XNNPACK, checked by ExecuTorch's own runtime."""

import contextlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...core.files import write_whole
from ...core.libraries import require
from ...models.style_file import StyleFile
from ..onnx_graph import quiet
from .conventional import Run, difference, zeros
from .plain import PlainConventional
from .settings import ExportSettings

EXTRA = "executorch"
PURPOSE = "export=executorch"


def write(style: StyleFile, settings: ExportSettings, path: Path) -> str:
    """Writes ``path`` and returns what it takes and how exact it is.

    Raises:
        FastTransferError: a library is missing, or the program does not do what the network does.
    """
    exir: Any = require("executorch.exir", EXTRA, PURPOSE)
    xnnpack: Any = require(
        "executorch.backends.xnnpack.partition.xnnpack_partitioner", EXTRA, PURPOSE
    )
    convention = settings.convention
    module = PlainConventional(style.network, convention)
    with quiet(), contextlib.redirect_stdout(sys.stderr):
        graph = torch.export.export(module, (zeros(convention),))
        partitioner = [xnnpack.XnnpackPartitioner()]
        lowered = exir.to_edge_transform_and_lower(graph, partitioner=partitioner)
        program = bytes(lowered.to_executorch().buffer)
    found = difference(runner(program), style.network, convention, settings.computes_in)
    write_whole(path, lambda file: file.write(program))
    return f"takes and gives {convention}; {found}"


def runner(program: bytes | Path) -> Run:
    """What executes a program, or the file of one.

    Raises:
        FastTransferError: the library is missing.
    """
    runtime: Any = require("executorch.runtime", EXTRA, PURPOSE)
    method = runtime.Runtime.get().load_program(program).load_method("forward")

    def run(content: np.ndarray) -> np.ndarray:
        return method.execute([torch.from_numpy(content)])[0].numpy().copy()

    return run
