"""Engines give what the network gives."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import fasttransfer
from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.hardware import has_bfloat16
from fasttransfer.images.reading import read_picture
from fasttransfer.images.tensors import resize, to_bytes
from fasttransfer.models.style_file import StyleFile, find_style, load_style
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.stylizing import engines
from fasttransfer.stylizing.engine import Engine
from fasttransfer.stylizing.engines import open_engine
from fasttransfer.stylizing.openvino_core import openvino_core
from fasttransfer.stylizing.settings import EngineSettings
from fasttransfer.stylizing.torch_engine import TorchEngine
from tests.helpers.operations import Operations

PROBE = Path(fasttransfer.__file__).parent / "assets" / "photos" / "probe"
OPEN: dict[str, Engine] = {}  # hypothesis has no fixtures for one example after the other
CPU = torch.device("cpu")
ENGINES = ["openvino", "onnxruntime"]


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


@pytest.fixture(scope="module")
def style() -> StyleFile:
    return load_style(find_style("mosaic"))


@pytest.fixture(scope="module")
def photo() -> torch.Tensor:
    picture = read_picture(PROBE / "coffee.jpg", max_pixels=10_000_000)
    return resize(picture.rgb, 200)[None]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_engines_agree_on_a_real_photo(engine: str, style: StyleFile, photo: torch.Tensor) -> None:
    with torch.no_grad():
        expected = style.network(photo)
    opened = open_engine(style.network, EngineSettings(engine, "cpu", "float32"))
    assert (opened.name, opened.precision) == (engine, "float32")
    assert (opened(photo) - expected).abs().max() <= 1e-4
    frames = to_bytes(photo).contiguous().numpy()
    difference = opened.frames(frames).astype(int) - TorchEngine(
        style.network, CPU, "float32"
    ).frames(frames)
    assert abs(difference).max() <= 1  # where a half is rounded up or down


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=15, deadline=None)
@given(size=st.tuples(st.integers(1, 2), st.integers(1, 40), st.integers(1, 40)))
@pytest.mark.slow
def test_engines_take_any_size(engine: str, size: tuple[int, int, int]) -> None:
    if engine not in OPEN:
        OPEN[engine] = open_engine(tiny(), EngineSettings(engine, "cpu", "float32"))
    batch, height, width = size
    photos = torch.rand(batch, 3, height, width)
    with torch.no_grad():
        expected = tiny()(photos)
    # A plane of few pixels has next to no variance for instance norm to divide by.
    assert torch.allclose(OPEN[engine](photos), expected, atol=1e-3)
    frames = OPEN[engine].frames(to_bytes(photos).contiguous().numpy())
    assert frames.shape == (batch, height, width, 3)


@pytest.mark.slow
def test_openvino_takes_no_more_threads_than_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[openvino.CompiledModel] = []

    compile_model = openvino.Core.compile_model

    def noted(core: openvino.Core, *arguments: Any) -> openvino.CompiledModel:
        compiled.append(compile_model(core, *arguments))
        return compiled[-1]

    monkeypatch.setattr(openvino.Core, "compile_model", noted)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        frames = np.zeros((1, 64, 64, 3), np.uint8)
        open_engine(tiny(), EngineSettings("openvino", "cpu", "float32")).frames(frames)
    finally:
        torch.set_num_threads(threads)
    assert compiled[0].get_property("INFERENCE_NUM_THREADS") == 1
    if os.cpu_count() != 1:  # bound to one core, all workers would share that
        assert not compiled[0].get_property("ENABLE_CPU_PINNING")


@pytest.mark.slow
def test_stylized_frames_stay_as_they_are_when_the_next_comes(style: StyleFile) -> None:
    engine = open_engine(style.network, EngineSettings("openvino", "cpu", "float32"))
    frames = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    first = engine.frames(frames[:1])
    before = first.copy()
    engine.frames(frames[1:])
    assert np.array_equal(first, before)


@pytest.mark.slow
def test_int8_is_close_to_float32(style: StyleFile, photo: torch.Tensor) -> None:
    engine = open_engine(style.network, EngineSettings("auto", "cpu", "int8"))
    assert (engine.name, engine.precision) == ("openvino", "int8")
    frames = to_bytes(photo).contiguous().numpy()
    exact = (
        open_engine(style.network, EngineSettings("torch", "cpu", "float32"))
        .frames(frames)
        .astype(int)
    )
    assert abs(engine.frames(frames) - exact).mean() < 6  # of 255


def test_precision_means_what_it_says(style: StyleFile) -> None:
    capable = "BF16" in openvino_core("").get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    assert (
        open_engine(style.network, EngineSettings("openvino", "cpu", "float32")).precision
        == "float32"
    )
    auto = open_engine(style.network, EngineSettings("openvino", "cpu", "auto"))
    assert auto.precision == ("bfloat16" if capable else "float32")
    if not capable:
        with pytest.raises(FastTransferError, match="precision=auto"):
            open_engine(style.network, EngineSettings("openvino", "cpu", "bfloat16"))


def test_auto_is_openvino_where_it_is_installed(
    style: StyleFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert open_engine(style.network, EngineSettings("auto", "cpu", "auto")).name == "openvino"
    monkeypatch.setattr(engines, "is_installed", lambda module: False)
    assert open_engine(style.network, EngineSettings("auto", "cpu", "auto")).name == "torch"


@pytest.mark.parametrize(
    ("engine", "precision", "text"),
    [
        ("tensorrt", "auto", "engine=tensorrt"),
        ("torch", "float16", "precision=float16"),
        ("torch", "int8", "engine=openvino"),
        ("onnxruntime", "int8", "engine=openvino"),
    ],
)
def test_what_cannot_be_used_is_named(
    engine: str, precision: str, text: str, style: StyleFile
) -> None:
    with pytest.raises(FastTransferError, match=text):
        open_engine(style.network, EngineSettings(engine, "cpu", precision))


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


@pytest.mark.skipif(not has_bfloat16(CPU), reason="the processor would emulate it")
def test_kernels_that_were_cast_once_give_the_very_pictures_of_autocast() -> None:
    network = TransformerNet([8, 12], 1, 3, 2, smooth=True).requires_grad_(False)
    photos = torch.rand(1, 3, 40, 56)
    engine = TorchEngine(network, CPU, "bfloat16")
    with Operations(on_cpu=True) as ours:
        found = engine(photos)
    network.to(memory_format=torch.channels_last)
    last = photos.contiguous(memory_format=torch.channels_last)
    with (
        torch.inference_mode(),
        torch.autocast("cpu", torch.bfloat16),
        Operations(on_cpu=True) as autocasts,
    ):
        expected = network(last).float()
    assert torch.equal(found, expected)
    kernels = sum(isinstance(layer, nn.Conv2d) for layer in network.modules())
    casts = [counted.names.count("aten::to") for counted in (ours, autocasts)]  # in inference mode
    assert casts[0] + kernels <= casts[1]


def test_bfloat16_is_refused_where_it_would_be_slow() -> None:
    if not has_bfloat16(CPU):
        with pytest.raises(FastTransferError, match="precision=auto"):
            open_engine(tiny(), EngineSettings("torch", "cpu", "bfloat16"))


THREADS, CALLS = 8, 50


@pytest.mark.parametrize(
    "engine", ["torch", *(pytest.param(engine, marks=pytest.mark.slow) for engine in ENGINES)]
)
def test_many_threads_get_what_one_gets(engine: str) -> None:
    # In PyTorch threads wait for each other at each layer, so there it has few.
    network = TransformerNet([4], 0, 3, 1, False) if engine == "torch" else tiny()
    opened = open_engine(network, EngineSettings(engine, "cpu", "float32"))
    rng = np.random.default_rng(0)
    sizes = [(1, 20 + 3 * number, 31 + 2 * number, 3) for number in range(THREADS)]
    frames = [rng.integers(0, 256, size, dtype=np.uint8) for size in sizes]
    photos = [torch.from_numpy(frame).permute(0, 3, 1, 2) / 255 for frame in frames]

    def call(number: int) -> tuple[np.ndarray, torch.Tensor]:
        return opened.frames(frames[number]), opened(photos[number])

    def calls(number: int) -> list[tuple[np.ndarray, torch.Tensor]]:
        return [call(number) for _ in range(CALLS // 2)]

    with ThreadPoolExecutor(THREADS) as pool:  # which also load the graphs, all at the same time
        found = list(pool.map(calls, range(THREADS)))
    for number in range(THREADS):
        as_frame, as_photo = call(number)
        assert all(np.array_equal(frame, as_frame) for frame, _ in found[number])
        assert all(torch.equal(photo, as_photo) for _, photo in found[number])


@pytest.mark.slow
def test_auto_falls_back_to_pytorch_and_a_named_engine_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no such operator")

    monkeypatch.setattr(openvino.Core, "compile_model", broken)
    photos = torch.rand(1, 3, 32, 32)
    named = open_engine(tiny(), EngineSettings("openvino", "cpu", "float32"))
    with pytest.raises(FastTransferError, match=r"no such operator.*engine=torch"):
        named(photos)
    auto = open_engine(tiny(), EngineSettings(device="cpu", precision="float32"))
    assert torch.equal(auto(photos), TorchEngine(tiny(), CPU, "float32")(photos))
    assert auto.name == "torch"
    assert "using PyTorch" in capsys.readouterr().err
