"""Networks as an exported page loads them: a graph for each shape, and the weights of each style."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.libraries import require
from ..models.blending import obstacle
from ..models.style_file import StyleFile
from ..models.transformer_net import TransformerNet
from ..stylizing.onnx_graph import to_onnx_without_weights, weights_of

KIND = "photos"  # float RGB (1, 3, H, W) in [0, 1]


@dataclass(frozen=True)
class Graph:
    """The network of all styles of one shape.

    Attributes:
        model: an ONNX file whose further inputs are the weights.
        weights: their names and shapes, in the order of the files with weights.
        smallest: side in pixels of the smallest picture that it takes.
    """

    model: bytes
    weights: list[tuple[str, list[int]]]
    smallest: int


def shape_of(network: TransformerNet) -> str:
    """The same text for all networks that share a graph."""
    return json.dumps(network.config)


def graph_of(network: TransformerNet) -> Graph:
    """The graph of a network's shape.

    Raises:
        FastTransferError: a library is missing.
    """
    onnx = require("onnx", "fast", "export=web")
    model = onnx.load_from_string(to_onnx_without_weights(network, KIND))
    for part in (*model.graph.node, *model.graph.value_info, *model.graph.initializer):
        part.ClearField(
            "doc_string"
        )  # where in PyTorch it came from, with the folders of this machine
        part.ClearField("metadata_props")
    del model.graph.metadata_props[:]
    shapes = [(name, [*array.shape]) for name, array in weights_of(network, KIND).items()]
    return Graph(bytes(model.SerializeToString()), shapes, network.smallest_side)


def packed_weights(network: TransformerNet) -> tuple[bytes, str]:
    """All weights, one after the other, little-endian, and their type.

    They are ``float16`` where that loses nothing, as of the bundled styles, else ``float32``.
    """
    arrays = [array.ravel() for array in weights_of(network, KIND).values()]
    weights = np.concatenate(arrays).astype("<f4")
    with np.errstate(over="ignore"):
        half = weights.astype("<f2")
    if np.array_equal(half.astype("<f4"), weights):
        return half.tobytes(), "float16"
    return weights.tobytes(), "float32"


def blends(styles: Sequence[StyleFile]) -> list[list[str]]:
    """For each style the names of the others that its weights can be mixed with."""
    return [
        [other.name for other in styles if other is not one and obstacle([one, other]) is None]
        for one in styles
    ]
