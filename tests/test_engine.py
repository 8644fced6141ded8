"""Engines give what the network gives."""

import numpy as np
import pytest
import torch

from fasttransfer.checkpoint import StyleFile
from fasttransfer.engine import OnFrames, TorchEngine, open_engine
from fasttransfer.errors import FastTransferError
from fasttransfer.hardware import has_bfloat16
from fasttransfer.network import TransformerNet

CPU = torch.device("cpu")


def tiny() -> TransformerNet:
    torch.manual_seed(0)
    return TransformerNet([4, 8], 1, 3, 2, True)


def test_torch_is_the_network() -> None:
    network, photos = tiny(), torch.rand(2, 3, 21, 34)
    with torch.no_grad():
        expected = network(photos)
    stylized = TorchEngine(network, CPU, "float32")(photos)
    assert torch.allclose(stylized, expected, atol=1e-6)
    assert not stylized.requires_grad


def test_frames_are_bytes_of_the_same_picture() -> None:
    network = tiny()
    frames = np.random.default_rng(0).integers(0, 256, (1, 21, 34, 3), dtype=np.uint8)
    stylized = TorchEngine(network, CPU, "float32").frames(frames)
    assert stylized.shape == frames.shape
    assert stylized.dtype == np.uint8
    with torch.no_grad():
        photo = torch.from_numpy(frames).permute(0, 3, 1, 2) / 255
        expected = network(photo).clamp(0, 1) * 255
    assert abs(stylized.transpose(0, 3, 1, 2) - expected.numpy()).max() <= 0.51


def test_frames_are_rounded_and_clamped() -> None:
    class Negative(torch.nn.Module):
        def forward(self, photos: torch.Tensor) -> torch.Tensor:
            return 1.5 - 2 * photos

    frames = torch.tensor([0, 64, 100, 255], dtype=torch.uint8).reshape(1, 1, 4, 1)
    stylized = OnFrames(Negative())(frames.expand(1, 1, 4, 3))
    assert stylized[0, 0, :, 0].tolist() == [255, 254, 182, 0]  # 382.5 - 2 x, in 0 to 255


def test_auto_precision_is_what_the_device_has() -> None:
    expected = "bfloat16" if has_bfloat16(CPU) else "float32"
    engine = TorchEngine(tiny(), CPU, "auto")
    assert engine.precision == expected
    photos = torch.rand(1, 3, 32, 32)
    assert torch.allclose(engine(photos), TorchEngine(tiny(), CPU, "float32")(photos), atol=0.1)


def test_bfloat16_stays_close() -> None:
    engine = TorchEngine(tiny(), CPU, "float32")
    photos = torch.rand(1, 3, 32, 32)
    exact = engine(photos)
    engine.precision = "bfloat16"  # emulated where the processor lacks it: slow, the same numbers
    reduced = engine(photos)
    assert reduced.dtype == torch.float32
    assert torch.allclose(reduced, exact, atol=0.1)


def test_bfloat16_is_refused_where_it_would_be_slow() -> None:
    if not has_bfloat16(CPU):
        with pytest.raises(FastTransferError, match="precision=auto"):
            open_engine(StyleFile(tiny(), "test", {}), "cpu", "bfloat16")
