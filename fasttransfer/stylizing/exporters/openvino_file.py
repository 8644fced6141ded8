"""OpenVINO: an .xml file with a .bin beside it."""

from pathlib import Path

from ...models.style_file import StyleFile
from ..onnx_graph import to_onnx
from ..openvino_core import openvino_core
from ..quantization import quantized, save_openvino
from .settings import ExportSettings


def write(style: StyleFile, settings: ExportSettings, path: Path) -> str:
    """Writes ``path``, for pictures of any number and size, and returns what it takes.

    Raises:
        FastTransferError: a library is missing.
    """
    if settings.precision == "int8":
        save_openvino(quantized(style.network, settings.kind), path)
    else:
        core = openvino_core("export=openvino")
        save_openvino(core.read_model(to_onnx(style.network, settings.kind)), path)
    return f"takes and gives {settings.convention}"
