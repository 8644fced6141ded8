"""A network as an ONNX graph, ``photos`` or ``frames``.

``photos`` takes and gives float RGB (B, 3, H, W), linear like ``TransformerNet``; ``frames`` takes and
gives RGB bytes (B, H, W, 3). In both, batch, height, and width are free (at least
``TransformerNet.smallest_side`` pixels a side), and padding and cropping are inside.
"""

import contextlib
import copy
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..core.errors import FastTransferError
from ..core.libraries import require
from ..images.tensors import from_bytes, to_bytes
from ..models.transformer_net import TransformerNet
from .cache import cached

KINDS = ("photos", "frames")
GRAPH_FORMAT = 1  # counts the ways a graph is made: a new number makes all of them again
_exporting = threading.RLock()  # exporters are not made for threads


class OnFrames(nn.Module):
    """A network on RGB bytes, as cameras and videos have them."""

    def __init__(self, network: TransformerNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor) -> Tensor:
        """uint8 (B, H, W, 3) to the same, clamped and rounded."""
        height, width = frames.shape[1:3]
        # Cropped last: OpenVINO makes clamping part of the last convolution only if it comes next.
        stylized = to_bytes(self.network.uncropped(from_bytes(frames)))
        return stylized[:, :height, :width]


def to_onnx(network: TransformerNet, kind: str) -> bytes:
    """The network as an ONNX model, ``photos`` or ``frames``; float32.

    Exporting takes seconds and depends on nothing but the shape of the network, so each shape is
    exported once on a machine; the weights of a style are put into it in milliseconds.

    Raises:
        FastTransferError: a library is missing, or another kind was asked for.
    """
    model, onnx = _model(network, kind)
    weights = weights_of(network, kind)
    for tensor in model.graph.initializer:
        if tensor.name in weights:
            array = weights.pop(tensor.name)
            tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    if weights:
        raise RuntimeError(f"the exported graph has no places for {', '.join(weights)}")
    return bytes(model.SerializeToString())


def to_onnx_without_weights(network: TransformerNet, kind: str) -> bytes:
    """The same model, but ``weights_of`` any network of this shape are further inputs of it.

    Raises:
        FastTransferError: as ``to_onnx``.
    """
    model, onnx = _model(network, kind)
    weights = weights_of(network, kind)
    others = [tensor for tensor in model.graph.initializer if tensor.name not in weights]
    del model.graph.initializer[:]
    model.graph.initializer.extend(others)
    float32 = onnx.TensorProto.FLOAT
    for name, array in weights.items():
        place = onnx.helper.make_tensor_value_info(name, float32, list(array.shape))
        model.graph.input.append(place)
    return bytes(model.SerializeToString())


def weights_of(network: TransformerNet, kind: str) -> dict[str, np.ndarray]:
    """A network's weights by their names in the model of this kind, float32."""
    prefix = "" if kind == "photos" else "network."
    state = network.state_dict().items()
    return {f"{prefix}{name}": value.detach().cpu().float().numpy() for name, value in state}


def _model(network: TransformerNet, kind: str) -> tuple[Any, Any]:
    """The model of this shape with any weights, and the library ``onnx``."""
    if kind not in KINDS:
        raise FastTransferError(f"export_kind={kind} must be photos or frames")
    onnx = require("onnx", "fast", "running or exporting a style as ONNX")
    graph = cached(_key(network, kind), lambda: _graph(network, kind))
    return onnx.load_from_string(graph), onnx


def _key(network: TransformerNet, kind: str) -> str:
    return json.dumps(["graph", GRAPH_FORMAT, kind, network.config, torch.__version__])


def _graph(network: TransformerNet, kind: str) -> bytes:
    """The graph of all networks of this shape, with random weights: equal ones would be merged."""
    print("exporting this shape of network, once …", file=sys.stderr)
    network = copy.deepcopy(network).cpu().eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    side = 2 * network.smallest_side
    if kind == "photos":
        module: nn.Module = network
        example, axes = torch.zeros(2, 3, side, side + 4), {0: "batch", 2: "height", 3: "width"}
    else:
        module = OnFrames(network).eval()
        example = torch.zeros(2, side, side + 4, 3, dtype=torch.uint8)
        axes = {0: "batch", 1: "height", 2: "width"}
    return bytes(traced(module, example, axes).SerializeToString())


def traced(module: nn.Module, example: Tensor, free: Mapping[int, str]) -> Any:
    """A module as an ``onnx.ModelProto`` from ``content`` to ``stylized``.

    Args:
        module: what it computes.
        example: of its input; sizes of axes that are not free are fixed to those.
        free: axes of any size, by number, and their names.
    """
    require("onnxscript", "fast", "running or exporting a style as ONNX")
    shapes = (dict.fromkeys(free, torch.export.Dim.DYNAMIC),) if free else None
    with _exporting, quiet():
        program: Any = torch.onnx.export(
            module,
            (example,),
            input_names=["content"],
            output_names=["stylized"],
            dynamic_shapes=shapes,
            dynamo=True,
            verbose=False,
        )
    model = program.model_proto
    for value in (*model.graph.input, *model.graph.output):  # instead of s41 and Min(s45, 4*…)
        for axis, name in free.items():
            value.type.tensor_type.shape.dim[axis].dim_param = name
    return model


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings that exporters print about their own code."""
    logger = logging.getLogger("torch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
