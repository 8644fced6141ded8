"""A style as a file that other programs execute: ONNX, or OpenVINO, also with 8-bit integers."""

from pathlib import Path

from ..core.errors import FastTransferError
from ..core.files import write_whole
from ..core.paths import exists, expand_user, is_folder
from ..models.style_file import StyleFile, safe_name
from .onnx_graph import to_onnx
from .openvino_core import openvino_core
from .quantization import quantized, save_openvino

SUFFIXES = {"onnx": ".onnx", "openvino": ".xml"}


def export_style(
    style: StyleFile,
    output: str | None,
    *,
    format: str,
    kind: str,
    precision: str,
    overwrite: bool,
) -> Path:
    """Writes a style for other programs.

    Args:
        style: what is exported.
        output: a file, or a folder; None is the style's name in the current folder.
        format: ``onnx``, or ``openvino`` (an .xml file with a .bin beside it).
        kind: ``photos`` or ``frames``, see ``onnx_graph``.
        precision: ``float32`` (also ``auto``), or ``int8`` (OpenVINO only).
        overwrite: replace a file that is there.

    Returns:
        The file.

    Raises:
        FastTransferError: a setting that does not fit, or a missing library.
    """
    if format not in SUFFIXES:
        raise FastTransferError(f"export={format} must be onnx or openvino")
    if precision not in ("auto", "float32", "int8"):
        raise FastTransferError(
            f"precision={precision} must be float32 or int8 in an exported file"
        )
    if format == "onnx" and precision == "int8":
        raise FastTransferError(
            "precision=int8 is written for OpenVINO only; write export=openvino"
        )
    path = _target(style, output, SUFFIXES[format])
    if exists(path) and not overwrite:
        raise FastTransferError(f"{path} already exists; write overwrite=true to replace it")
    if format == "onnx":
        model = to_onnx(style.network, kind)
        write_whole(path, lambda file: file.write(model))
    elif precision == "int8":
        save_openvino(quantized(style.network, kind), path)
    else:
        core = openvino_core("export=openvino")
        save_openvino(core.read_model(to_onnx(style.network, kind)), path)
    return path


def _target(style: StyleFile, output: str | None, suffix: str) -> Path:
    path = expand_user(output or "")
    if path.suffix == suffix:
        return path
    if path.suffix and not is_folder(path):
        raise FastTransferError(f"output={output} must end in {suffix}, or be a folder")
    return path / f"{safe_name(style.name)}{suffix}"
