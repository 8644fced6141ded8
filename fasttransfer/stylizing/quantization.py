"""A network in 8-bit integers, which OpenVINO computes with."""

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

from ..core.assets import BUNDLED_PHOTOS
from ..core.libraries import require
from ..core.scratch import scratch_folder
from ..images.reading import read_picture
from ..images.tensors import resize_to, to_bytes
from ..models.transformer_net import TransformerNet, fingerprint
from .cache import cached
from .onnx_graph import GRAPH_FORMAT, quiet, to_onnx
from .openvino_core import openvino_core

CALIBRATION_PHOTOS = BUNDLED_PHOTOS["bundled"]
CALIBRATION = (24, 480, 640)  # photos, height and width: 8 bits are scaled to what these activate
QUANTIZATION_FORMAT = 1  # counts the ways a network is quantized: a new number does it again
_LENGTH = 8  # bytes of the number that says how long the first of two parts is


def quantized(network: TransformerNet, kind: str) -> Any:
    """The network as an ``openvino.Model`` in 8-bit integers, quantized once on a machine.

    Args:
        network: in float32.
        kind: ``photos`` or ``frames``, see ``onnx_graph``.

    Raises:
        FastTransferError: a library is missing.
    """
    openvino = require("openvino", "fast", "precision=int8")
    numbers = [GRAPH_FORMAT, QUANTIZATION_FORMAT, openvino.__version__]
    key = json.dumps(["int8", kind, fingerprint(network), *numbers])
    packed = cached(key, lambda: _pack(_quantize(network, kind)))
    end = _LENGTH + int.from_bytes(packed[:_LENGTH], "big")
    graph, weights = packed[_LENGTH:end], packed[end:]
    return openvino_core("precision=int8").read_model(model=graph, weights=weights)


def calibration_photos(count: int, height: int, width: int) -> Iterator[Tensor]:
    """Bundled photos, one after the other as (1, 3, height, width)."""
    for path in sorted(CALIBRATION_PHOTOS.glob("*.jpg"))[:count]:
        yield resize_to(read_picture(path, max_pixels=100_000_000).rgb, height, width)[None]


def save_openvino(model: Any, path: Path) -> None:
    """Writes ``path`` (.xml) and the weights beside it (.bin), in float32 where they are not int8."""
    openvino = require("openvino", "fast", "export=openvino")
    path.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(path.parent) as folder:
        openvino.save_model(model, folder / "model.xml", compress_to_fp16=False)
        # The .xml last: where it is, the weights are.
        (folder / "model.bin").replace(path.with_suffix(".bin"))
        (folder / "model.xml").replace(path)


def _quantize(network: TransformerNet, kind: str) -> Any:
    """Post-training quantization by NNCF.

    Convolutions in 8-bit integers, scaled to what the bundled photos activate, instance norm as
    before.
    """
    source = openvino_core("precision=int8").read_model(to_onnx(network, kind))
    print("quantizing this style, once …", file=sys.stderr)
    os.environ.setdefault("NNCF_CI", "1")  # or it would send statistics of its use to its makers
    with quiet():
        nncf = require("nncf", "fast", "precision=int8")
        nncf.set_log_level(logging.ERROR)
        photos = list(calibration_photos(*CALIBRATION))
        if kind == "frames":
            photos = [to_bytes(photo).contiguous() for photo in photos]
        with contextlib.redirect_stdout(sys.stderr):
            return nncf.quantize(
                source,
                nncf.Dataset([photo.numpy() for photo in photos]),
                preset=nncf.QuantizationPreset.MIXED,  # activations of both signs have a zero point
                subset_size=len(photos),
            )


def _pack(model: Any) -> bytes:
    with scratch_folder() as folder:
        path = folder / "model.xml"
        save_openvino(model, path)
        graph, weights = path.read_bytes(), path.with_suffix(".bin").read_bytes()
    return len(graph).to_bytes(_LENGTH, "big") + graph + weights
