"""One trained network behind one call, whoever executes it.

An engine takes photos as float tensors, or video frames as the bytes they are; the second way saves
two conversions a frame and is what videos and cameras use.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ..core.errors import FastTransferError
from ..core.hardware import has_bfloat16, pick_device
from ..core.libraries import is_installed, require
from ..images.tensors import from_bytes, to_bytes
from ..models.style_file import StyleFile
from ..models.transformer_net import TransformerNet, reflect_to_multiple
from .settings import EngineSettings

CPU = torch.device("cpu")
Run = Callable[[np.ndarray], np.ndarray]


class Engine(Protocol):
    """What runs a network. Both calls take any height and width and return the same.

    Attributes:
        name: ``torch``, ``openvino`` or ``onnxruntime``.
        precision: what is computed in: ``float32``, ``bfloat16`` or ``int8``.
        device: where photos are best handed over.
    """

    name: str
    precision: str
    device: torch.device

    def __call__(self, photos: Tensor) -> Tensor:
        """Float RGB (B, 3, H, W) in [0, 1] to float32 RGB, linear, so it may leave [0, 1]."""
        ...

    def frames(self, frames: np.ndarray) -> np.ndarray:
        """RGB bytes (B, H, W, 3) to RGB bytes, clamped and rounded."""
        ...


def open_engine(style: StyleFile, settings: EngineSettings) -> Engine:
    """The engine for a style.

    Raises:
        FastTransferError: a setting that cannot be used here, or a library that is not installed.
    """
    engine, precision = settings.engine, settings.precision
    device = pick_device(settings.device)
    if engine == "auto":
        wanted = precision == "int8" or (is_installed("openvino") and is_installed("onnxscript"))
        engine = "openvino" if device.type == "cpu" and wanted else "torch"
    if engine == "torch":
        return TorchEngine(style.network, device, precision)
    if device.type != "cpu" and settings.device != "auto":
        raise FastTransferError(f"engine={engine} runs on the CPU here; write device=cpu")
    return (
        OpenVinoEngine(style, precision) if engine == "openvino" else OnnxEngine(style, precision)
    )


class TorchEngine:
    """PyTorch on any of its devices, in float32 or under bfloat16 autocast."""

    name = "torch"

    def __init__(self, network: TransformerNet, device: torch.device, precision: str) -> None:
        self.device = device
        self.precision = _torch_precision(precision, device)
        self._network = network.eval().to(device).to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def __call__(self, photos: Tensor) -> Tensor:
        """See ``Engine``."""
        return self._reduced(photos.to(self.device, torch.float32)).float()

    @torch.inference_mode()
    def frames(self, frames: np.ndarray) -> np.ndarray:
        """See ``Engine``."""
        photos = from_bytes(torch.from_numpy(frames).to(self.device))
        return to_bytes(self._reduced(photos)).contiguous().cpu().numpy()

    def _reduced(self, photos: Tensor) -> Tensor:
        bfloat16 = self.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16):
            return self._network(photos.contiguous(memory_format=torch.channels_last))


class _GraphEngine:
    """What OpenVINO and ONNX Runtime have in common: two graphs, each made when it is first used."""

    device = CPU

    def __init__(self, style: StyleFile) -> None:
        self._style = style
        self._open: dict[str, Run] = {}

    def __call__(self, photos: Tensor) -> Tensor:
        """See ``Engine``."""
        height, width = photos.shape[-2:]
        padded = self._large_enough(photos.to(CPU, torch.float32)).contiguous()
        stylized = torch.from_numpy(self._run("photos")(padded.numpy()))
        return stylized[..., :height, :width]

    def frames(self, frames: np.ndarray) -> np.ndarray:
        """See ``Engine``."""
        height, width = frames.shape[1:3]
        if min(height, width) < self._style.network.smallest_side:
            photos = self._large_enough(from_bytes(torch.from_numpy(frames)))
            frames = to_bytes(photos).contiguous().numpy()
        return self._run("frames")(frames)[:, :height, :width]

    def _large_enough(self, photos: Tensor) -> Tensor:
        """What ``TransformerNet`` does to small pictures cannot be part of a graph for any size."""
        network = self._style.network
        if min(photos.shape[-2:]) >= network.smallest_side:
            return photos
        return reflect_to_multiple(photos, network.stride, network.smallest_side)

    def _run(self, kind: str) -> Run:
        if kind not in self._open:
            self._open[kind] = self._load(kind)
        return self._open[kind]

    def _load(self, kind: str) -> Run:
        raise NotImplementedError


class OpenVinoEngine(_GraphEngine):
    """OpenVINO on the CPU. Left to itself it takes bfloat16 wherever there is hardware for it; here
    ``precision`` says so."""

    name = "openvino"

    def __init__(self, style: StyleFile, precision: str) -> None:
        super().__init__(style)
        openvino = require("openvino", "fast", "engine=openvino")
        self._core = openvino.Core()
        bfloat16 = "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if precision == "bfloat16" and not bfloat16:
            raise _no_bfloat16("processor")
        self._hint = "bf16" if bfloat16 and precision != "float32" else "f32"
        self._int8 = precision == "int8"
        self.precision = (
            "int8" if self._int8 else {"bf16": "bfloat16", "f32": "float32"}[self._hint]
        )

    def _compile(self, kind: str) -> Any:
        from .export import cached_int8, cached_onnx

        path: Path = (cached_int8 if self._int8 else cached_onnx)(self._style, kind)
        threads = torch.get_num_threads()  # which a worker among several bounds
        settings = {
            "INFERENCE_PRECISION_HINT": self._hint,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            # Threads of fewer than all cores would in each worker be bound to the first of them.
            "ENABLE_CPU_PINNING": threads >= (os.cpu_count() or 1),
        }
        return self._core.compile_model(path, "CPU", settings)

    def _load(self, kind: str) -> Run:
        request = self._compile(kind).create_infer_request()

        def run(content: np.ndarray) -> np.ndarray:
            stylized: Any = request.infer([content], share_inputs=True, share_outputs=True)[0]
            return stylized.copy()  # the request writes into the same memory next time

        return run


class OnnxEngine(_GraphEngine):
    """ONNX Runtime on the CPU, in float32."""

    name = "onnxruntime"
    precision = "float32"

    def __init__(self, style: StyleFile, precision: str) -> None:
        super().__init__(style)
        self._runtime: Any = require("onnxruntime", "fast", "engine=onnxruntime")
        if precision not in ("auto", "float32"):
            raise FastTransferError(
                f"engine=onnxruntime computes in float32, not {precision}; write precision=auto, or "
                "engine=openvino"
            )

    def _load(self, kind: str) -> Run:
        from .export import cached_onnx

        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        path = str(cached_onnx(self._style, kind))
        session = self._runtime.InferenceSession(path, options, ["CPUExecutionProvider"])
        return lambda content: session.run(None, {"content": content})[0]


def _torch_precision(precision: str, device: torch.device) -> str:
    if precision == "int8":
        raise FastTransferError(
            "precision=int8 needs engine=openvino; write that, or precision=auto"
        )
    if precision == "bfloat16" and not has_bfloat16(device):
        raise _no_bfloat16(device.type)
    return "bfloat16" if precision != "float32" and has_bfloat16(device) else "float32"


def _no_bfloat16(device: str) -> FastTransferError:
    return FastTransferError(
        f"precision=bfloat16 needs a device with instructions for it, which this {device} has not; "
        "write precision=auto"
    )
