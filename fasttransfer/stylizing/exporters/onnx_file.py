"""ONNX for other programs: of a fixed size or any, in their layout and range, checked after writing.

Graphs hold only operations that OpenCV 4.6 knows too, where their size is fixed.
"""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...core.errors import FastTransferError, brief
from ...core.files import whole_file
from ...core.libraries import require
from ...models.style_file import StyleFile
from ...models.transformer_net import TransformerNet
from ..onnx_graph import traced
from .conventional import Conventional, Difference, Run, difference, zeros
from .onnx_int8 import quantized
from .settings import ExportSettings

PURPOSE = "export=onnx"
# What operations say since an opset, with the value that they meant before.
_SAID_SINCE = {
    "Resize": (18, ("antialias", "keep_aspect_ratio_policy")),
    "Reshape": (14, ("allowzero",)),
    "Cast": (19, ("saturate",)),
}


class ForOnnx(Conventional):
    """Clamps by operations that OpenCV 4.6 knows."""

    def clamped(self, stylized: torch.Tensor) -> torch.Tensor:
        """Clamped to [0, 1]."""
        return 1 - torch.relu(1 - torch.relu(stylized))


def write(style: StyleFile, settings: ExportSettings, path: Path) -> str:
    """Writes ``path`` and returns what it takes and how exact it is.

    ONNX's checker and ONNX Runtime see the file before it gets its name.

    Raises:
        FastTransferError: a library is missing, an opset in which the network cannot be written, or
            a file that does not do what the network does.
    """
    onnx: Any = require("onnx", "fast", PURPOSE)
    runtime: Any = require("onnxruntime", "fast", PURPOSE)
    convention, precision = settings.convention, settings.computes_in
    model = onnx_model(style.network, settings)
    if precision == "int8":
        model = quantized(onnx, model, convention)

    def differs(model: bytes | str) -> Difference:
        return difference(runner(runtime, model), style.network, convention, precision)

    found = differs(model.SerializeToString())
    onnx.helper.set_model_props(model, _facts(style, settings, found))
    with whole_file(path) as part:
        with part.open("r+b") as file:
            file.write(model.SerializeToString())
        _check(onnx, part)
        differs(str(part))
    return f"takes and gives {convention}; {found}"


def onnx_model(network: TransformerNet, settings: ExportSettings) -> Any:
    """The network as an ``onnx.ModelProto`` in float32 or float16.

    Raises:
        FastTransferError: a library is missing, or the opset is not possible.
    """
    onnx: Any = require("onnx", "fast", PURPOSE)
    dtype = torch.float16 if settings.half else torch.float32
    convention = settings.convention
    module = ForOnnx(network, convention, dtype)
    if convention.size:
        example, free = zeros(convention), {}
    else:
        example = zeros(convention, batch=2, side=2 * network.smallest_side)
        first = 2 if convention.layout == "nchw" else 1
        free = {0: "batch", first: "height", first + 1: "width"}
    model = traced(module, example, free)
    return model if settings.opset is None else _with_opset(onnx, model, settings.opset)


def runner(runtime: Any, model: bytes | str) -> Run:
    """What executes a model, or the file of one, with ONNX Runtime."""
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors
    try:
        session = runtime.InferenceSession(model, options, ["CPUExecutionProvider"])
    except Exception as error:  # a class for each reason
        raise FastTransferError(
            f"ONNX Runtime {runtime.__version__} does not run the exported network ({brief(error)}); "
            "write another opset="
        ) from error

    def run(content: np.ndarray) -> np.ndarray:
        return session.run(None, {"content": content})[0]

    return run


def _with_opset(onnx: Any, model: Any, opset: int) -> Any:
    """The same graph in another version of ONNX's operations.

    Those of these graphs say more since some versions, and mean the same.
    """
    changed = type(model)()
    changed.CopyFrom(model)
    for node in changed.graph.node:
        since, names = _SAID_SINCE.get(node.op_type, (0, ()))
        if opset < since:
            kept = [one for one in node.attribute if one.name not in names]
            del node.attribute[:]
            node.attribute.extend(kept)
    [operations] = [one for one in changed.opset_import if not one.domain]
    operations.version = opset
    changed.ir_version = onnx.helper.find_min_ir_version_for([operations])
    return changed


def _facts(style: StyleFile, settings: ExportSettings, found: Difference) -> dict[str, str]:
    """What the file says of itself."""
    of_any = "" if settings.size else " (H, W: any; B: number of pictures)"
    return {
        "style": style.name,
        "license": str(style.metadata.get("license", "not stated")),
        "input": f"content: {settings.convention}{of_any}",
        "output": f"stylized: {settings.convention}",
        "precision": settings.computes_in,
        "difference": str(found),
        "made_by": f"fasttransfer {version('fasttransfer')}",
    }


def _check(onnx: Any, path: Path) -> None:
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception as error:  # of the checker or of shape inference
        raise FastTransferError(
            f"onnx.checker refuses the exported network ({brief(error)}), so nothing was written; "
            "write another opset="
        ) from error
