"""Files for other runtimes, read back by these runtimes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import openvino
import pytest
import torch

from fasttransfer.core.errors import FastTransferError
from fasttransfer.models.style_file import StyleFile, load_style, save_style
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.stylizing.export import export_style
from fasttransfer.stylizing.exporters.settings import ExportSettings

SCRIPT = Path(__file__).parents[2] / "infer.py"


def tiny(seed: int = 0) -> TransformerNet:
    torch.manual_seed(seed)
    return TransformerNet([4, 8], 1, 3, 2, True).eval().requires_grad_(False)


@pytest.fixture
def style(tmp_path: Path) -> StyleFile:
    save_style(tmp_path / "tiny.safetensors", tiny(), {"name": "tiny"})
    return load_style(tmp_path / "tiny.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["onnx", "openvino"])
def test_exported_files_run_in_openvino(style: StyleFile, form: str, tmp_path: Path) -> None:
    settings = ExportSettings(form, kind="frames")
    path = export_style(style, str(tmp_path / "out/"), settings).path
    assert path.name == {"onnx": "tiny.onnx", "openvino": "tiny.xml"}[form]
    frames = np.random.default_rng(0).integers(0, 256, (1, 30, 41, 3), dtype=np.uint8)
    compiled = openvino.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    photo = torch.from_numpy(frames).permute(0, 3, 1, 2) / 255
    expected = style.network(photo).clamp(0, 1).permute(0, 2, 3, 1).numpy() * 255
    assert abs(compiled(frames)[0] - expected).max() <= 0.51
    with pytest.raises(FastTransferError, match="overwrite=true"):
        export_style(style, str(path), settings)


def test_another_ending_is_named(style: StyleFile, tmp_path: Path) -> None:
    with pytest.raises(FastTransferError, match=r"output=.*\.onnx"):
        export_style(style, str(tmp_path / "x.pt"), ExportSettings())


@pytest.mark.slow
def test_the_command_writes_a_file(style: StyleFile) -> None:
    folder = style.path.parent
    command = [
        sys.executable,
        str(SCRIPT),
        f"style={style.path}",
        "export=onnx",
        "size=32x24",
        "half=true",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "tiny.onnx" in done.stderr
    onnx.checker.check_model(onnx.load(folder / "tiny.onnx"))
