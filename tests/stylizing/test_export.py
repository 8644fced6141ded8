"""Files for other runtimes, read back by these runtimes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import openvino
import pytest
import torch

from fasttransfer.core.errors import FastTransferError
from fasttransfer.models.style_file import StyleFile, load_style, save_style
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.stylizing import export
from fasttransfer.stylizing.export import (
    cached_int8,
    cached_onnx,
    content_hash,
    export_style,
    to_onnx,
)

SCRIPT = Path(__file__).parents[2] / "infer.py"


def tiny(seed: int = 0) -> TransformerNet:
    torch.manual_seed(seed)
    return TransformerNet([4, 8], 1, 3, 2, True).eval().requires_grad_(False)


@pytest.fixture
def style(tmp_path: Path) -> StyleFile:
    save_style(tmp_path / "tiny.safetensors", tiny(), {"name": "tiny"})
    return load_style(tmp_path / "tiny.safetensors")


@pytest.mark.parametrize("shape", [(1, 3, 8, 8), (2, 3, 21, 34), (3, 3, 64, 10)])
def test_onnx_is_the_network_at_any_size(shape: tuple[int, ...]) -> None:
    network = tiny()
    content = torch.rand(shape)
    session = onnxruntime.InferenceSession(to_onnx(network, "photos"))
    stylized = session.run(None, {"content": content.numpy()})[0]
    assert stylized.shape == shape
    assert abs(stylized - network(content).numpy()).max() <= 1e-4


def test_the_graph_of_a_shape_is_exported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    to_onnx(tiny(), "photos")
    monkeypatch.setattr(torch.onnx, "export", None)
    content = torch.rand(1, 3, 16, 16)
    session = onnxruntime.InferenceSession(to_onnx(tiny(seed=1), "photos"))
    stylized = session.run(None, {"content": content.numpy()})[0]
    assert abs(stylized - tiny(seed=1)(content).numpy()).max() <= 1e-4


def test_axes_have_names() -> None:
    model = onnx.load_from_string(to_onnx(tiny(), "frames"))
    for value in (model.graph.input[0], model.graph.output[0]):
        dims = value.type.tensor_type.shape.dim
        assert [d.dim_param or d.dim_value for d in dims] == ["batch", "height", "width", 3]


def test_a_style_is_cached_beside_its_file(style: StyleFile) -> None:
    first = cached_onnx(style, "photos")
    assert first.parent.parent == style.path.parent
    before = first.stat().st_mtime_ns
    assert cached_onnx(style, "photos") == first
    assert first.stat().st_mtime_ns == before


def test_a_style_that_was_trained_again_is_made_again(style: StyleFile) -> None:
    first = cached_onnx(style, "photos")
    frames = cached_onnx(style, "frames")
    save_style(style.path, tiny(seed=1), {"name": "tiny"})
    second = cached_onnx(load_style(style.path), "photos")
    assert second != first
    assert not first.exists()
    assert frames.exists()


def test_bundled_styles_are_cached_for_the_user(
    style: StyleFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "BUNDLED_STYLES", style.path.parent)
    assert style.path.parent not in cached_onnx(style, "photos").parents


def test_the_hash_follows_weights_and_shape() -> None:
    assert content_hash(tiny()) == content_hash(tiny())
    assert content_hash(tiny()) != content_hash(tiny(seed=1))
    assert content_hash(tiny()) != content_hash(TransformerNet([4, 8], 2, 3, 2, True))


@pytest.mark.parametrize("form", ["onnx", "openvino"])
def test_exported_files_run_in_openvino(style: StyleFile, form: str, tmp_path: Path) -> None:
    settings = {"format": form, "kind": "frames", "precision": "auto", "overwrite": False}
    path = export_style(style, str(tmp_path / "out/"), **settings)
    assert path.name == {"onnx": "tiny.onnx", "openvino": "tiny.xml"}[form]
    frames = np.random.default_rng(0).integers(0, 256, (1, 30, 41, 3), dtype=np.uint8)
    compiled = openvino.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    photo = torch.from_numpy(frames).permute(0, 3, 1, 2) / 255
    expected = style.network(photo).clamp(0, 1).permute(0, 2, 3, 1).numpy() * 255
    assert abs(compiled(frames)[0] - expected).max() <= 0.51
    with pytest.raises(FastTransferError, match="overwrite=true"):
        export_style(style, str(path), **settings)


def test_int8_holds_integers_and_stays_close(style: StyleFile) -> None:
    path = cached_int8(style, "frames")
    kinds = [op.get_type_name() for op in openvino.Core().read_model(path).get_ops()]
    assert "FakeQuantize" in kinds
    frames = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    photo = torch.from_numpy(frames).permute(0, 3, 1, 2) / 255
    expected = style.network(photo).clamp(0, 1).permute(0, 2, 3, 1).numpy() * 255
    assert abs(openvino.compile_model(path, "CPU")(frames)[0] - expected).mean() < 5


@pytest.mark.parametrize(
    ("output", "changed", "told"),
    [
        ("x.pt", {}, r"output=.*\.onnx"),
        ("x.onnx", {"precision": "int8"}, "export=openvino"),
        ("x.onnx", {"precision": "bfloat16"}, "precision=bfloat16"),
        ("x.onnx", {"kind": "pictures"}, "export_kind=pictures"),
        ("x.onnx", {"format": "tflite"}, "export=tflite"),
    ],
)
def test_what_cannot_be_exported_is_named(
    output: str, changed: dict, told: str, style: StyleFile, tmp_path: Path
) -> None:
    settings = {"format": "onnx", "kind": "photos", "precision": "float32", "overwrite": False}
    with pytest.raises(FastTransferError, match=told):
        export_style(style, str(tmp_path / output), **(settings | changed))


@pytest.mark.slow
def test_the_command_writes_a_file(style: StyleFile) -> None:
    folder = style.path.parent
    command = [sys.executable, str(SCRIPT), f"style={style.path}", "export=onnx"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "tiny.onnx" in done.stderr
    onnx.checker.check_model(onnx.load(folder / "tiny.onnx"))
