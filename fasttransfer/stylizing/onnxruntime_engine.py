"""ONNX Runtime as an engine, on the CPU."""

from typing import Any

import torch

from ..core.errors import FastTransferError
from ..core.libraries import require
from ..models.transformer_net import TransformerNet
from .graph_engine import GraphEngine, Run
from .onnx_graph import to_onnx


def onnxruntime_engine(network: TransformerNet, precision: str) -> GraphEngine:
    """ONNX Runtime for a network, in float32. Its sessions are made for several threads.

    Raises:
        FastTransferError: it is not installed, or another precision was asked for.
    """
    runtime: Any = require("onnxruntime", "fast", "engine=onnxruntime")
    if precision not in ("auto", "float32"):
        raise FastTransferError(
            f"engine=onnxruntime computes in float32, not {precision}; write precision=auto, or "
            "engine=openvino"
        )

    def load(kind: str) -> Run:
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = runtime.InferenceSession(
            to_onnx(network, kind), options, ["CPUExecutionProvider"]
        )
        return lambda content: session.run(None, {"content": content})[0]

    return GraphEngine("onnxruntime", "float32", network, load)
