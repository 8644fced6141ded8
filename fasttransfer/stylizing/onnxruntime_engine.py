"""ONNX Runtime as an engine, on the CPU."""

from typing import Any

import torch

from ..core.errors import FastTransferError
from ..core.libraries import require
from ..models.transformer_net import TransformerNet
from .graph_engine import GraphEngine, Run, RunWithWeights, SharedGraphs
from .onnx_graph import to_onnx, to_onnx_without_weights

PURPOSE = "engine=onnxruntime"


def onnxruntime_engine(network: TransformerNet, precision: str) -> GraphEngine:
    """ONNX Runtime for a network, in float32. Its sessions are made for several threads.

    Raises:
        FastTransferError: it is not installed, or another precision was asked for.
    """
    runtime: Any = require("onnxruntime", "fast", PURPOSE)
    if precision not in ("auto", "float32"):
        raise FastTransferError(
            f"engine=onnxruntime computes in float32, not {precision}; write precision=auto, or "
            "engine=openvino"
        )

    def load(kind: str) -> Run:
        session = _session(runtime, to_onnx(network, kind))
        return lambda content: session.run(None, {"content": content})[0]

    return GraphEngine("onnxruntime", "float32", network, load)


def onnxruntime_graphs(network: TransformerNet) -> SharedGraphs:
    """ONNX Runtime for all networks of the shape of ``network``, in float32.

    Raises:
        FastTransferError: it is not installed.
    """
    runtime: Any = require("onnxruntime", "fast", PURPOSE)

    def load(kind: str) -> RunWithWeights:
        session = _session(runtime, to_onnx_without_weights(network, kind))
        return lambda inputs: session.run(None, dict(inputs))[0]

    return SharedGraphs("onnxruntime", "float32", load)


def _session(runtime: Any, model: bytes) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return runtime.InferenceSession(model, options, ["CPUExecutionProvider"])
