"""A style as a file that other runtimes execute: ONNX, or OpenVINO with 8-bit integers.

Two graphs exist of every network. ``photos`` takes and gives float RGB (B, 3, H, W), linear like
``TransformerNet``; ``frames`` takes and gives RGB bytes (B, H, W, 3). In both, batch, height and
width are free (``TransformerNet.smallest_side`` pixels a side at least), and padding and cropping
are inside.
"""

import contextlib
import copy
import hashlib
import json
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..core.assets import BUNDLED_PHOTOS, BUNDLED_STYLES
from ..core.errors import FastTransferError
from ..core.files import write_whole
from ..core.libraries import require
from ..images.reading import read_picture
from ..images.tensors import from_bytes, resize_to, to_bytes
from ..models import transformer_net
from ..models.style_file import StyleFile, safe_name
from ..models.transformer_net import TransformerNet

KINDS = ("photos", "frames")
SUFFIXES = {"onnx": ".onnx", "openvino": ".xml"}
CACHE = ".fasttransfer"  # the folder beside a style file for what was made of it
CALIBRATION_PHOTOS = BUNDLED_PHOTOS["bundled"]
CALIBRATION = (24, 480, 640)  # photos, height and width: 8 bits are scaled to what these activate


class OnFrames(nn.Module):
    """A network on RGB bytes, as cameras and videos have them."""

    def __init__(self, network: TransformerNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor) -> Tensor:
        """uint8 (B, H, W, 3) to the same, clamped and rounded."""
        height, width = frames.shape[1:3]
        # Cropped at last: OpenVINO makes clamping part of the last convolution only if it follows
        # right behind.
        stylized = to_bytes(self.network.uncropped(from_bytes(frames)))
        return stylized[:, :height, :width]


def to_onnx(network: TransformerNet, kind: str) -> bytes:
    """The network as an ONNX model, ``photos`` or ``frames``; float32.

    Exporting takes seconds and depends on nothing but the shape of the network, so each shape is
    exported once on a machine, and then gets the weights of one style after the other."""
    if kind not in KINDS:
        raise FastTransferError(f"export_kind={kind} must be photos or frames")
    onnx = require("onnx", "fast", "running or exporting a style as ONNX")
    graph = _user_cache() / f"graph-{shape_hash(network)}-{kind}.onnx"
    if not graph.exists():
        print("exporting this shape of network, once …", file=sys.stderr)
        _write(graph, _graph(network, kind))
    model = onnx.load(graph)
    weights = {
        name if kind == "photos" else f"network.{name}": value
        for name, value in network.state_dict().items()
    }
    for tensor in model.graph.initializer:
        if tensor.name in weights:
            array = weights.pop(tensor.name).detach().cpu().float().numpy()
            tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    if weights:
        raise RuntimeError(f"the exported graph has no places for {', '.join(weights)}")
    return bytes(model.SerializeToString())


def _graph(network: TransformerNet, kind: str) -> bytes:
    """The graph of all networks of this shape, with random weights: equal ones would be merged."""
    require("onnxscript", "fast", "running or exporting a style as ONNX")
    network = copy.deepcopy(network).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    free = torch.export.Dim.DYNAMIC
    side = 2 * network.smallest_side
    if kind == "photos":
        module: nn.Module = network
        example, axes = torch.zeros(2, 3, side, side + 4), {0: free, 2: free, 3: free}
    else:
        module = OnFrames(network).eval()
        example = torch.zeros(2, side, side + 4, 3, dtype=torch.uint8)
        axes = {0: free, 1: free, 2: free}
    with _quiet():
        program: Any = torch.onnx.export(
            module,
            (example,),
            input_names=["content"],
            output_names=["stylized"],
            dynamic_shapes=(axes,),
            dynamo=True,
            verbose=False,
        )
    model = program.model_proto
    for value in (*model.graph.input, *model.graph.output):  # instead of s41 and Min(s45, 4*…)
        dims = value.type.tensor_type.shape.dim
        for axis, name in zip(sorted(axes), ("batch", "height", "width"), strict=True):
            dims[axis].dim_param = name
    return bytes(model.SerializeToString())


def cached_onnx(style: StyleFile, kind: str) -> Path:
    """The ONNX file of a style, made if it is not there; see ``_cached`` for where."""
    return _cached(style, f"{kind}.onnx", lambda path: _write(path, to_onnx(style.network, kind)))


def cached_int8(style: StyleFile, kind: str) -> Path:
    """The OpenVINO file (.xml beside .bin) of a style in 8-bit integers, made if it is not there."""
    source = cached_onnx(style, kind)

    def make(path: Path) -> None:
        print(f"reducing {style.name} to 8 bits, once …", file=sys.stderr)
        save_openvino(quantize(source, kind), path)

    return _cached(style, f"{kind}-int8.xml", make)


def quantize(source: Path, kind: str) -> Any:
    """Post-training quantization by NNCF: convolutions in 8-bit integers, scaled to what the bundled
    photos activate, instance norm as before.

    Args:
        source: an ONNX file of ``kind``.

    Returns:
        An ``openvino.Model``.
    """
    openvino = require("openvino", "fast", "precision=int8")
    os.environ.setdefault("NNCF_CI", "1")  # or it would send statistics of its use to its makers
    with _quiet():
        nncf = require("nncf", "fast", "precision=int8")
        nncf.set_log_level(logging.ERROR)
        photos = [frame.numpy() for frame in _calibration(kind)]
        with contextlib.redirect_stdout(sys.stderr):
            return nncf.quantize(
                openvino.Core().read_model(source),
                nncf.Dataset(photos),
                preset=nncf.QuantizationPreset.MIXED,  # activations of both signs have a zero point
                subset_size=len(photos),
            )


def save_openvino(model: Any, path: Path) -> None:
    """Writes ``path`` (.xml) and the weights beside it (.bin), in float32 where they are not int8."""
    openvino = require("openvino", "fast", "export=openvino")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        openvino.save_model(model, Path(folder, "model.xml"), compress_to_fp16=False)
        # The .xml last: where it is, the weights are.
        os.replace(Path(folder, "model.bin"), path.with_suffix(".bin"))
        os.replace(Path(folder, "model.xml"), path)


def _calibration(kind: str) -> Iterator[Tensor]:
    count, height, width = CALIBRATION
    for path in sorted(CALIBRATION_PHOTOS.glob("*.jpg"))[:count]:
        photo = resize_to(read_picture(path, max_pixels=100_000_000).rgb, height, width)[None]
        yield photo if kind == "photos" else to_bytes(photo).contiguous()


def _cached(style: StyleFile, ending: str, make: Callable[[Path], None]) -> Path:
    """A file made of a style, beside the style file; for bundled styles and where nothing can be
    written, in the user's cache. Its name has a hash of weights, shape and versions, and files of
    the same style with another one are removed."""
    stem, folder = "style", _user_cache()
    if style.path is not None:
        stem = style.path.stem
        if style.path.parent != BUNDLED_STYLES and os.access(style.path.parent, os.W_OK):
            folder = style.path.parent / CACHE
    path = folder / f"{stem}-{content_hash(style.network)}-{ending}"
    if not path.exists():
        make(path)
        if folder.name == CACHE:
            for old in folder.glob(f"{stem}-????????????????-{Path(ending).stem}.*"):
                if old.with_suffix("") != path.with_suffix(""):
                    old.unlink(missing_ok=True)
    return path


def shape_hash(network: TransformerNet) -> str:
    """16 hexadecimal digits of the network's shape and of the programs that would export it."""
    programs = [str(torch.__version__)]
    for file in (Path(__file__), Path(transformer_net.__file__)):
        programs.append(hashlib.sha256(file.read_bytes()).hexdigest())
    return hashlib.sha256(json.dumps([network.config, *programs]).encode()).hexdigest()[:16]


def content_hash(network: TransformerNet) -> str:
    """16 hexadecimal digits of the weights and of ``shape_hash``."""
    digest = hashlib.sha256(shape_hash(network).encode())
    for name, value in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fasttransfer"


def _write(path: Path, contents: bytes) -> None:
    write_whole(path, lambda file: file.write(contents))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporters warn of their own insides."""
    logger = logging.getLogger("torch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


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
        kind: ``photos`` or ``frames``, see above.
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
    if path.exists() and not overwrite:
        raise FastTransferError(f"{path} is there already; write overwrite=true to replace it")
    if format == "onnx":
        _write(path, to_onnx(style.network, kind))
        return path
    source = cached_onnx(style, kind)
    if precision == "int8":
        save_openvino(quantize(source, kind), path)
    else:
        openvino = require("openvino", "fast", "export=openvino")
        save_openvino(openvino.Core().read_model(source), path)
    return path


def _target(style: StyleFile, output: str | None, suffix: str) -> Path:
    path = Path(output or "").expanduser()
    if path.suffix == suffix:
        return path
    if path.suffix and not path.is_dir():
        raise FastTransferError(f"output={output} must end in {suffix}, or be a folder")
    return path / f"{safe_name(style.name)}{suffix}"
