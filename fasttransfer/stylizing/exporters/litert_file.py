"""LiteRT (TensorFlow Lite): a .tflite file for phones, checked by LiteRT's own interpreter."""

import contextlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ...core.files import whole_file
from ...core.libraries import require
from ...core.scratch import scratch_folder
from ...models.style_file import StyleFile
from ..onnx_graph import quiet
from .conventional import Run, difference, zeros
from .plain import PlainConventional
from .settings import ExportSettings

EXTRA = "litert"
PURPOSE = "export=litert"


def write(style: StyleFile, settings: ExportSettings, path: Path) -> str:
    """Writes ``path`` and returns what it takes and how exact it is.

    Raises:
        FastTransferError: a library is missing, or the model does not do what the network does.
    """
    converter: Any = require("litert_torch", EXTRA, PURPOSE)
    convention = settings.convention
    module = PlainConventional(style.network, convention)
    with scratch_folder() as folder:
        file = folder / "model.tflite"
        with quiet(), contextlib.redirect_stdout(sys.stderr):
            converter.convert(module, (zeros(convention),)).export(str(file))
        found = difference(runner(file), style.network, convention, settings.computes_in)
        with whole_file(path) as part:
            part.write_bytes(file.read_bytes())
    return f"takes and gives {convention}; {found}"


def runner(path: Path) -> Run:
    """What executes a model.

    Raises:
        FastTransferError: the library is missing.
    """
    library: Any = require("ai_edge_litert.interpreter", EXTRA, PURPOSE)
    interpreter = library.Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    [content], [stylized] = interpreter.get_input_details(), interpreter.get_output_details()

    def run(picture: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(content["index"], picture)
        interpreter.invoke()
        return interpreter.get_tensor(stylized["index"])

    return run
