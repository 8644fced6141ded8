"""The settings of stylizing, each checked where it is made. This module loads nothing heavy."""

from dataclasses import dataclass

from ..core.errors import FastTransferError

ENGINES = ("auto", "torch", "openvino", "onnxruntime")
PRECISIONS = ("auto", "float32", "bfloat16", "int8")
COLORS = ("style", "content")


@dataclass(frozen=True)
class StylizerSettings:
    """What is done around the network.

    Attributes:
        size: longer side of the output in pixels; None keeps the size of the content image.
        color: ``style``, or ``content`` to keep the colors of the content image.
        strength: 0 (exactly the content image) to 1 (exactly the network); pixels are mixed.
        stroke_size: longer side in pixels of the picture in which strokes are as large as the style
            was trained with. They then cover the same part of the picture at any size, so a preview
            and a print agree. None: strokes keep their pixels, and look finer in larger pictures.

    Raises:
        FastTransferError: a value out of range.
    """

    size: int | None = None
    color: str = "style"
    strength: float = 1.0
    stroke_size: int | None = None

    def __post_init__(self) -> None:
        for name in ("size", "stroke_size"):
            side = getattr(self, name)
            if side is not None and (not _is_a(side, int) or side < 1):
                raise FastTransferError(
                    f"{name}={side} must be the longer side in whole pixels, or null for the input's own"
                )
        if self.color not in COLORS:
            raise FastTransferError(f"color={self.color} must be style or content")
        if not _is_a(self.strength, int, float) or not 0 <= self.strength <= 1:
            raise FastTransferError(f"strength={self.strength} must be a number from 0 to 1")


@dataclass(frozen=True)
class EngineSettings:
    """What runs the network.

    Attributes:
        engine: ``torch``, ``openvino``, ``onnxruntime``, or ``auto``: on a CPU OpenVINO where it is
            installed, otherwise PyTorch.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``, or another name of a PyTorch device.
        precision: ``float32``; ``bfloat16``; ``int8`` (OpenVINO only); or ``auto``: bfloat16 where
            the device has instructions for it, otherwise float32.

    Raises:
        FastTransferError: a value that is none of these.
    """

    engine: str = "auto"
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise FastTransferError(
                f"engine={self.engine} must be auto, torch, openvino or onnxruntime"
            )
        if self.precision not in PRECISIONS:
            raise FastTransferError(
                f"precision={self.precision} must be auto, float32, bfloat16 or int8"
            )


def _is_a(value: object, *kinds: type) -> bool:
    """Whether it is one of these kinds; ``True`` is no number."""
    return isinstance(value, kinds) and not isinstance(value, bool)
