"""Networks in 8-bit integers."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import openvino
import pytest
import torch

from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.stylizing import cache, quantization
from fasttransfer.stylizing.quantization import quantized, save_openvino


def tiny() -> TransformerNet:
    torch.manual_seed(0)
    return TransformerNet([4, 8], 1, 3, 2, True).eval().requires_grad_(False)


@pytest.mark.slow
def test_int8_holds_integers_and_stays_close_and_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tiny()
    model = quantized(network, "frames")
    kinds = [op.get_type_name() for op in model.get_ops()]
    assert "FakeQuantize" in kinds
    frames = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    photo = torch.from_numpy(frames).permute(0, 3, 1, 2) / 255
    expected = network(photo).clamp(0, 1).permute(0, 2, 3, 1).numpy() * 255
    assert abs(openvino.compile_model(model, "CPU")(frames)[0] - expected).mean() < 5
    cache.forget()
    monkeypatch.setattr(quantization, "CALIBRATION", None)  # it is not done a second time
    again = openvino.compile_model(quantized(network, "frames"), "CPU")
    assert np.array_equal(again(frames)[0], openvino.compile_model(model, "CPU")(frames)[0])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_a_killed_export_leaves_nothing_for_long(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys, openvino; from fasttransfer.stylizing import quantization\n"
        "def killed(model, path, **_): path.touch(); os.kill(os.getpid(), 9)\n"
        "openvino.save_model = killed\n"
        "quantization.save_openvino(None, pathlib.Path(sys.argv[1]))\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, tmp_path / "model.xml"])
    assert killed.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 2
    parameter = openvino.opset8.parameter([1], np.float32)
    save_openvino(openvino.Model([parameter], [parameter]), tmp_path / "model.xml")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.bin", "model.xml"]
