"""ONNX files as other programs want them, run by ONNX Runtime and by OpenCV."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from fasttransfer.core.errors import FastTransferError
from fasttransfer.models.style_file import StyleFile
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.stylizing.export import export_style
from fasttransfer.stylizing.exporters.settings import ExportSettings

pytestmark = pytest.mark.slow


def tiny(smooth: bool = True) -> TransformerNet:
    torch.manual_seed(0)
    return TransformerNet([4, 8], 1, 3, 2, smooth).eval().requires_grad_(False)


def style(network: TransformerNet | None = None) -> StyleFile:
    return StyleFile(network or tiny(), "tiny", {"license": "CC0: mine"})


def export(folder: Path, **chosen: object) -> str:
    return str(export_style(style(), str(folder), ExportSettings(**chosen)).path)


def by_onnxruntime(path: str, content: np.ndarray) -> np.ndarray:
    return onnxruntime.InferenceSession(path).run(None, {"content": content})[0]


def by_opencv(path: str, content: np.ndarray) -> np.ndarray:
    network = cv2.dnn.readNetFromONNX(path)
    network.setInput(content)
    return network.forward()


def levels(stylized: np.ndarray, photo: torch.Tensor) -> float:
    """The largest difference from PyTorch of a picture (1, 3, H, W) from 0 to 1, in levels of 255."""
    return abs(stylized - tiny()(photo).clamp(0, 1).numpy()).max() * 255


def test_a_picture_of_another_size_layout_and_range(tmp_path: Path) -> None:
    path = export(tmp_path, layout="nhwc", range=255)
    photo = torch.rand(1, 3, 21, 34)
    stylized = by_onnxruntime(path, 255 * photo.permute(0, 2, 3, 1).numpy())
    assert levels(stylized.transpose(0, 3, 1, 2) / 255, photo) < 0.01


@pytest.mark.parametrize("opset", [13, 21])
def test_a_fixed_size_runs_in_opencv_too(tmp_path: Path, opset: int) -> None:
    path = export(tmp_path, size="31x19", opset=opset, range=255)
    photo = torch.rand(1, 3, 19, 31)
    assert levels(by_onnxruntime(path, 255 * photo.numpy()) / 255, photo) < 0.01
    assert levels(by_opencv(path, 255 * photo.numpy()) / 255, photo) < 0.01
    model = onnx.load(path)
    assert model.opset_import[0].version == opset
    dims = model.graph.output[0].type.tensor_type.shape.dim
    assert [dim.dim_value for dim in dims] == [1, 3, 19, 31]


def test_bytes_of_a_fixed_size_in_opencv(tmp_path: Path) -> None:
    path = export(tmp_path, size="32x16", kind="frames")
    frame = np.random.default_rng(0).integers(0, 256, (1, 16, 32, 3), dtype=np.uint8)
    photo = torch.from_numpy(frame).permute(0, 3, 1, 2) / 255
    for stylized in (by_onnxruntime(path, frame), by_opencv(path, frame)):
        assert levels(stylized.transpose(0, 3, 1, 2) / 255.0, photo) < 0.51


def test_a_picture_smaller_than_the_network_reflects(tmp_path: Path) -> None:
    photo = torch.rand(1, 3, 1, 3)
    assert levels(by_onnxruntime(export(tmp_path, size="3x1"), photo.numpy()), photo) < 0.01


def test_half_holds_float16_takes_float32_and_says_so(tmp_path: Path) -> None:
    path = export(tmp_path, size="32x32", half=True)
    photo = torch.rand(1, 3, 32, 32)
    assert levels(by_onnxruntime(path, photo.numpy()), photo) < 4
    model = onnx.load(path)
    kernels = [one.data_type for one in model.graph.initializer if len(one.dims) == 4]
    assert set(kernels) == {onnx.TensorProto.FLOAT16}
    about = {one.key: one.value for one in model.metadata_props}
    assert about["style"] == "tiny"
    assert about["license"] == "CC0: mine"
    assert about["input"] == "content: float32 RGB (1, 3, 32, 32) from 0 to 1"
    assert about["precision"] == "float16"
    assert "of 255 levels from PyTorch" in about["difference"]


def test_what_is_not_the_network_is_not_written(tmp_path: Path) -> None:
    network = tiny()
    network.state_dict()["encoder.1.0.weight"].mul_(1e6)  # beyond float16
    assert export_style(style(network), str(tmp_path / "a.onnx"), ExportSettings(size="32x32"))
    with pytest.raises(FastTransferError, match="more than float16 explains, so nothing was"):
        export_style(
            style(network), str(tmp_path / "b.onnx"), ExportSettings(size="32x32", half=True)
        )
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]
