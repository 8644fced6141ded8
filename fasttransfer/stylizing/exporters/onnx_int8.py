"""A network in 8-bit integers for ONNX Runtime, by its own quantizer.

NNCF's result for ONNX is nearer to the network, but ONNX Runtime runs it no faster than float32: it has
kernels only for convolutions whose results are integers too.
"""

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...core.libraries import require
from ...core.scratch import scratch_folder
from ..quantization import calibration_photos
from .conventional import as_content
from .settings import Convention

CALIBRATION = (8, 480, 640)  # photos, and height and width where these are free


class Photos:
    """Bundled photos, one at each call, as ONNX Runtime's calibration asks for them."""

    def __init__(self, convention: Convention) -> None:
        count, *free = CALIBRATION
        height, width = convention.size or free
        photos = calibration_photos(count, height, width)
        self._photos = (as_content(photo, convention).numpy() for photo in photos)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next one; None after the last."""
        return next(({"content": photo} for photo in self._photos), None)


def quantized(onnx: Any, model: Any, convention: Convention) -> Any:
    """Post-training quantization of the convolutions, per channel; scaled to what photos activate.

    Args:
        onnx: the library.
        model: an ``onnx.ModelProto`` in float32.
        convention: of its pictures.

    Returns:
        The model with QuantizeLinear and DequantizeLinear around its convolutions (QDQ).

    Raises:
        FastTransferError: a library is missing.
    """
    library: Any = require("onnxruntime.quantization", "fast", "precision=int8")
    print("quantizing this style …", file=sys.stderr)
    with scratch_folder() as folder, _without_warnings():
        path = folder / "model.onnx"
        library.quantize_static(
            model,
            path,
            Photos(convention),
            quant_format=library.QuantFormat.QDQ,
            per_channel=True,
            activation_type=library.QuantType.QUInt8,  # others are slower on x86
            weight_type=library.QuantType.QInt8,
            op_types_to_quantize=["Conv"],
        )
        return onnx.load(path)


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Without the advice that ONNX Runtime's quantizer logs each time."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
