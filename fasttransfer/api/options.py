"""How pictures are stylized, as keyword arguments."""

import os
from dataclasses import fields
from typing import Any, TypedDict

from ..core.errors import FastTransferError
from ..core.words import did_you_mean
from ..stylizing.exporters.settings import ExportSettings
from ..stylizing.settings import EngineSettings, StylizerSettings


class Options(TypedDict, total=False):
    """How pictures are stylized; the names and values are those of the commands.

    Attributes:
        size: longer side of the output in pixels; None keeps the size of the picture.
        color: ``"style"``, or ``"content"`` to keep the colors of the picture.
        strength: 0 (the picture) to 1 (the full style).
        stroke_size: longer side in pixels of the picture in which strokes are as large as the style
            was trained with; None leaves their size in pixels.
        engine: ``"auto"``, ``"torch"``, ``"openvino"`` or ``"onnxruntime"``.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"mps"``, …
        precision: ``"auto"``, ``"float32"``, ``"bfloat16"`` or ``"int8"``.
    """

    size: int | None
    color: str
    strength: float
    stroke_size: int | None
    engine: str
    device: str
    precision: str


class CallOptions(Options, total=False):
    """Options of one call, which may have masks.

    Attributes:
        mask_feather: pixels to either side of a border over which it is softened; 2 if left out.
        mask_invert: whether white and black of the mask are exchanged.
        mask_model: of ``mask="person"``, an ONNX file; None: what rembg keeps on disk.
    """

    mask_feather: int
    mask_invert: bool
    mask_model: str | os.PathLike[str] | None


class ExportOptions(TypedDict, total=False):
    """What an exported file is; the values are those of the command.

    Attributes:
        format: ``"onnx"``, ``"executorch"``, ``"litert"``, or ``"openvino"``.
        kind: ``"photos"``, float32, or ``"frames"``, bytes.
        precision: ``"float32"`` or ``"int8"``.
        overwrite: whether a file that is there is replaced.
        size: ``"640x480"``, width and height of all pictures; None: any.
        opset: version of ONNX's operations; None: that of PyTorch's exporter.
        half: float16 inside.
        layout: ``"nchw"`` or ``"nhwc"``; None: nchw of photos, nhwc of frames.
        range: largest value, 1 or 255; None: 1 of photos, 255 of frames.
    """

    format: str
    kind: str
    precision: str
    overwrite: bool
    size: str | None
    opset: int | None
    half: bool
    layout: str | None
    range: int | None


def field_names(settings: type[StylizerSettings | EngineSettings | ExportSettings]) -> set[str]:
    """The options that a dataclass of settings has."""
    return {field.name for field in fields(settings)}


def known(options: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """``options``.

    Raises:
        FastTransferError: one of them has none of these names.
    """
    for name in options:
        if name not in names:
            hint = f"{did_you_mean(name, sorted(names))} ".lstrip()
            raise FastTransferError(
                f"There is no option {name} here; {hint}there are {', '.join(sorted(names))}."
            )
    return options
