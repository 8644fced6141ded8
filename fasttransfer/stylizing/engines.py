"""Which engine runs a network."""

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from ..core.errors import FastTransferError
from ..core.hardware import pick_device
from ..core.libraries import is_installed
from ..models.transformer_net import TransformerNet
from .engine import Engine
from .onnxruntime_engine import onnxruntime_engine, onnxruntime_graphs
from .openvino_engine import openvino_engine, openvino_graphs
from .settings import EngineSettings
from .torch_engine import TorchEngine

Result = TypeVar("Result")


def open_engine(network: TransformerNet, settings: EngineSettings) -> Engine:
    """The engine for a network.

    Raises:
        FastTransferError: a setting that cannot be used here, or a library that is not installed.
    """
    engine, precision = settings.engine, settings.precision
    device = pick_device(settings.device)
    if engine == "torch" or (engine == "auto" and device.type != "cpu"):
        return TorchEngine(network, device, precision)
    if device.type != "cpu" and settings.device != "auto":
        raise FastTransferError(f"engine={engine} runs on the CPU here; write device=cpu")
    if engine == "onnxruntime":
        return onnxruntime_engine(network, precision)
    if engine == "openvino" or precision == "int8":
        return openvino_engine(network, precision)
    if is_installed("openvino") and is_installed("onnxscript"):
        try:
            fast = openvino_engine(network, precision)
        except FastTransferError as error:
            return _instead(TorchEngine(network, device, precision), error)
        return FirstThatRuns(fast, lambda: TorchEngine(network, device, precision))
    return TorchEngine(network, device, precision)


def exchangeable(like: Engine, network: TransformerNet) -> Callable[[TransformerNet], Engine]:
    """What makes engines for networks of one shape without making their graph anew.

    Args:
        like: an engine that runs; the new ones use the same library, device, and precision, except
            that 8-bit integers belong to one network, so that others compute in floating point.
        network: of this shape.

    Raises:
        FastTransferError: a library that is not installed.
    """
    if like.name == "openvino":
        precision = "auto" if like.precision == "int8" else like.precision
        return openvino_graphs(network, precision)
    if like.name == "onnxruntime":
        return onnxruntime_graphs(network)
    return lambda other: TorchEngine(other, like.device, like.precision)


def _instead(engine: TorchEngine, error: FastTransferError) -> TorchEngine:
    print(f"using PyTorch: {error}", file=sys.stderr)
    return engine


class FirstThatRuns:
    """An engine, and another one in case it cannot run the network; see ``Engine``.

    Args:
        first: what is tried.
        other: makes what is used from then on if ``first`` raises FastTransferError.
    """

    def __init__(self, first: Engine, other: Callable[[], TorchEngine]) -> None:
        self._engine: Engine = first
        self._first = first
        self._other = other
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Of the engine in use."""
        return self._engine.name

    @property
    def precision(self) -> str:
        """Of the engine in use."""
        return self._engine.precision

    @property
    def device(self) -> torch.device:
        """Of the engine in use."""
        return self._engine.device

    def __call__(self, photos: Tensor) -> Tensor:
        """See ``Engine``."""
        return self._with(lambda engine: engine(photos))

    def frames(self, frames: np.ndarray) -> np.ndarray:
        """See ``Engine``."""
        return self._with(lambda engine: engine.frames(frames))

    def _with(self, run: Callable[[Engine], Result]) -> Result:
        try:
            return run(self._engine)
        except FastTransferError as error:
            with self._lock:
                if self._engine is self._first:
                    self._engine = _instead(self._other(), error)
        return run(self._engine)
