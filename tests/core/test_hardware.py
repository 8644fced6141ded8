"""Which device, and does it compute in bfloat16."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.hardware import (
    accelerator_device,
    allowed_cpus,
    has_bfloat16,
    pick_device,
    prefers_channels_last,
)
from tests.helpers.fakes import fake_cuda


def test_auto_is_a_device_that_works() -> None:
    assert torch.ones(2, device=pick_device("auto")).sum() == 2


def test_named_device() -> None:
    assert pick_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "meta", "", "cpu:x"])
def test_a_device_that_is_not_there(name: str) -> None:
    with pytest.raises(FastTransferError, match="device="):
        pick_device(name)


def test_bfloat16_is_what_the_processor_says() -> None:
    found = has_bfloat16(torch.device("cpu"))
    if hasattr(torch.cpu, "get_capabilities"):
        capabilities = torch.cpu.get_capabilities()
        names = ("avx512_bf16", "amx_bf16")
        assert found == any(capabilities.get(name, False) for name in names)


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="says so on Linux only")
def test_bfloat16_is_found_by_an_older_pytorch_too(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = has_bfloat16(torch.device("cpu"))
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert has_bfloat16(torch.device("cpu")) == expected


def test_no_bfloat16_on_other_devices() -> None:
    assert has_bfloat16(torch.device("mps")) is False


@fake_cuda
@pytest.mark.parametrize(
    ("cuda", "mps", "device"), [(True, False, "cuda"), (False, True, "mps"), (True, True, "cuda")]
)
def test_gpu_means_the_one_that_is_there(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, device: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    with FakeTensorMode():
        assert accelerator_device("gpu").type == device


@pytest.mark.parametrize("name", ["gpu", "cuda", "xpu", "abacus"])
def test_an_accelerator_that_cannot_be_trained_on_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(
        FastTransferError, match=rf"trainer\.accelerator={name} .*write auto or cpu"
    ):
        accelerator_device(name)


def test_a_container_may_have_fewer_processors_than_the_machine(tmp_path: Path) -> None:
    everything = allowed_cpus(tmp_path)  # no such files
    assert 1 <= everything <= (os.cpu_count() or 1)
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert allowed_cpus(tmp_path) == everything
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    assert allowed_cpus(tmp_path) == 1
    (tmp_path / "cpu.max").write_text("5000 100000\n")  # a twentieth of one
    assert allowed_cpus(tmp_path) == 1
    (tmp_path / "cpu.max").write_text("nonsense")
    assert allowed_cpus(tmp_path) == everything


@pytest.mark.parametrize(
    ("device", "rocm", "expected"),
    [
        ("cpu", None, True),
        ("cuda", None, True),
        ("xpu", None, True),
        ("mps", None, False),
        ("cuda", "gfx1100", False),  # a card for games
        ("cuda", "gfx942:sramecc+:xnack-", True),
    ],
)
def test_channels_come_last_where_libraries_are_made_for_it(
    monkeypatch: pytest.MonkeyPatch, device: str, rocm: str | None, expected: bool
) -> None:
    if rocm is not None:
        properties = SimpleNamespace(gcnArchName=rocm)
        monkeypatch.setattr(torch.version, "hip", "7.0")
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: properties)
    assert prefers_channels_last(torch.device(device)) is expected
