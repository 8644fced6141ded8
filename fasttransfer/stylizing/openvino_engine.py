"""OpenVINO as an engine, on the CPU."""

import os
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from ..models.transformer_net import TransformerNet
from .graph_engine import GraphEngine, Run, RunWithWeights, SharedGraphs
from .onnx_graph import to_onnx, to_onnx_without_weights
from .openvino_core import openvino_core
from .quantization import quantized
from .torch_engine import no_bfloat16

PURPOSE = "engine=openvino"
# One computes with all threads while another's picture is copied; a third would only take memory.
MOST_REQUESTS = 2


def openvino_engine(network: TransformerNet, precision: str) -> GraphEngine:
    """OpenVINO for a network.

    By itself it takes bfloat16 wherever there is hardware for it; here ``precision`` decides.

    Raises:
        FastTransferError: it is not installed, or the processor lacks the precision.
    """
    settings = _settings(precision)

    def load(kind: str) -> Run:
        core = openvino_core(PURPOSE)
        if precision == "int8":
            model = quantized(network, kind)
        else:
            model = core.read_model(to_onnx(network, kind))
        return RequestPool(core.compile_model(model, "CPU", settings), MOST_REQUESTS)

    computed = "int8" if precision == "int8" else _computed(settings)
    return GraphEngine("openvino", computed, network, load)


def openvino_graphs(network: TransformerNet, precision: str) -> SharedGraphs:
    """OpenVINO for all networks of the shape of ``network``, in any precision but ``int8``.

    Raises:
        FastTransferError: as ``openvino_engine``.
    """
    settings = _settings(precision)

    def load(kind: str) -> RunWithWeights:
        core = openvino_core(PURPOSE)
        model = core.read_model(to_onnx_without_weights(network, kind))
        return RequestPool(core.compile_model(model, "CPU", settings), MOST_REQUESTS)

    return SharedGraphs("openvino", _computed(settings), load)


class RequestPool:
    """A compiled model for any number of threads.

    Each has an infer request of its own while it computes, and waits while ``most`` are taken.

    Args:
        compiled: an ``openvino.CompiledModel`` with one output.
        most: of requests.
    """

    def __init__(self, compiled: Any, most: int) -> None:
        self._compiled = compiled
        self._free: list[Any] = []
        self._places = threading.BoundedSemaphore(most)

    def __call__(self, content: np.ndarray | Mapping[str, np.ndarray]) -> np.ndarray:
        """The output for an input, or for several by their names, as an array of its own."""
        with self._places:
            try:
                request = self._free.pop()
            except IndexError:
                request = self._compiled.create_infer_request()
            inputs = content if isinstance(content, Mapping) else [content]
            stylized: Any = request.infer(inputs, share_inputs=True, share_outputs=True)[0]
            copied = stylized.copy()  # the request writes into the same memory next time
            self._free.append(request)
            return copied


def _settings(precision: str) -> dict[str, object]:
    core = openvino_core(PURPOSE)
    capable = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if precision == "bfloat16" and not capable:
        raise no_bfloat16("processor")
    bfloat16 = capable and precision != "float32"
    threads = torch.get_num_threads()  # which a worker among several bounds
    return {
        "INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        # Threads of fewer than all cores would in each worker be bound to the first of them.
        "ENABLE_CPU_PINNING": threads >= (os.cpu_count() or 1),
    }


def _computed(settings: Mapping[str, object]) -> str:
    return "bfloat16" if settings["INFERENCE_PRECISION_HINT"] == "bf16" else "float32"
