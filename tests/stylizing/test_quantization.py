"""Networks in 8-bit integers."""

import numpy as np
import openvino
import pytest
import torch

from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.stylizing import cache, quantization
from fasttransfer.stylizing.quantization import quantized


def tiny() -> TransformerNet:
    torch.manual_seed(0)
    return TransformerNet([4, 8], 1, 3, 2, True).eval().requires_grad_(False)


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
