"""What OpenVINO and ONNX Runtime have in common: they execute graphs on the CPU."""

import threading
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ..core.errors import FastTransferError, brief
from ..images.tensors import from_bytes, to_bytes
from ..models.transformer_net import TransformerNet, reflect_to_multiple
from .onnx_graph import weights_of

CPU = torch.device("cpu")
Run = Callable[[np.ndarray], np.ndarray]  # safe to call from several threads
RunWithWeights = Callable[[Mapping[str, np.ndarray]], np.ndarray]  # of ``content`` and the weights


class GraphEngine:
    """Two graphs of a network, ``photos`` and ``frames``, each loaded when it is first used.

    See ``Engine``.

    Args:
        name: of the engine.
        precision: what it computes in.
        network: whose graphs they are.
        load: makes the graph of a kind ready; what it returns is called with the input.
    """

    device = CPU

    def __init__(
        self, name: str, precision: str, network: TransformerNet, load: Callable[[str], Run]
    ) -> None:
        self.name = name
        self.precision = precision
        self._network = network
        self._load = load
        self._loaded: dict[str, Run] = {}
        self._lock = threading.Lock()

    def __call__(self, photos: Tensor) -> Tensor:
        """See ``Engine``."""
        height, width = photos.shape[-2:]
        padded = self._large_enough(photos.to(CPU, torch.float32)).contiguous()
        stylized = torch.from_numpy(self._run("photos")(padded.numpy()))
        return stylized[..., :height, :width]

    def frames(self, frames: np.ndarray) -> np.ndarray:
        """See ``Engine``."""
        height, width = frames.shape[1:3]
        if min(height, width) < self._network.smallest_side:
            photos = self._large_enough(from_bytes(torch.from_numpy(frames)))
            frames = to_bytes(photos).contiguous().numpy()
        return self._run("frames")(frames)[:, :height, :width]

    def _large_enough(self, photos: Tensor) -> Tensor:
        """What ``TransformerNet`` does to small pictures cannot be part of a graph for any size."""
        network = self._network
        if min(photos.shape[-2:]) >= network.smallest_side:
            return photos
        return reflect_to_multiple(photos, network.stride, network.smallest_side)

    def _run(self, kind: str) -> Run:
        with self._lock:  # one thread loads a graph, the others wait for it
            if kind not in self._loaded:
                try:
                    self._loaded[kind] = self._load(kind)
                except FastTransferError:
                    raise
                except Exception as error:  # exporters and compilers raise nearly anything
                    raise FastTransferError(
                        f"engine={self.name} cannot run this network ({type(error).__name__}: "
                        f"{brief(error)}); write engine=torch"
                    ) from error
            return self._loaded[kind]


class SharedGraphs:
    """Graphs that get the weights with each picture: one for all networks of a shape.

    So another network, such as a blend, runs at once, while a graph of its own takes seconds.

    Args:
        name: of the engine.
        precision: what it computes in.
        load: makes the graph of a kind ready; what it returns gets ``content`` and the weights.
    """

    def __init__(self, name: str, precision: str, load: Callable[[str], RunWithWeights]) -> None:
        self._name = name
        self._precision = precision
        self._load = load
        self._loaded: dict[str, RunWithWeights] = {}
        self._lock = threading.Lock()

    def __call__(self, network: TransformerNet) -> GraphEngine:
        """The engine for a network of this shape."""
        return GraphEngine(self._name, self._precision, network, partial(self._bound, network))

    def _bound(self, network: TransformerNet, kind: str) -> Run:
        with self._lock:
            if kind not in self._loaded:
                self._loaded[kind] = self._load(kind)
            run = self._loaded[kind]
        weights = weights_of(network, kind)
        return lambda content: run({"content": content, **weights})
