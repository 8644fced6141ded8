"""Weights of pytorch/examples' fast_neural_style, against that network built here from its parts."""

import contextlib
import copy
import json
import pickle
import sys
from collections import OrderedDict
from pathlib import Path

import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from fasttransfer.cli.infer import main
from fasttransfer.core.errors import FastTransferError
from fasttransfer.models.pytorch_examples import LAYOUT, translate
from fasttransfer.models.style_file import load_style, save_style
from fasttransfer.stylizing.onnx_graph import to_onnx


class Conv(nn.Module):
    """Reflection, then a convolution with a bias, perhaps of the picture twice as large."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1, larger: int = 1):
        super().__init__()
        up = [nn.Upsample(scale_factor=larger)] if larger > 1 else []
        self.before = nn.Sequential(*up, nn.ReflectionPad2d(size // 2))
        self.conv2d = nn.Conv2d(inputs, outputs, size, stride)

    def forward(self, features: Tensor) -> Tensor:
        return self.conv2d(self.before(features))


class Residual(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.conv1, self.conv2 = Conv(width, width, 3), Conv(width, width, 3)
        self.in1, self.in2 = (nn.InstanceNorm2d(width, affine=True) for _ in range(2))

    def forward(self, features: Tensor) -> Tensor:
        halfway = self.in1(self.conv1(features)).relu()
        return features + self.in2(self.conv2(halfway))


class Reference(nn.Module):
    """RGB in 0..255, in and out; its state dict has the names that those files have."""

    def __init__(self, widths=(8, 12, 16), blocks: int = 2, kernel_size: int = 9):
        super().__init__()
        a, b, c = widths
        convs = {
            "conv1": Conv(3, a, kernel_size),
            "conv2": Conv(a, b, 3, stride=2),
            "conv3": Conv(b, c, 3, stride=2),
            "deconv1": Conv(c, b, 3, larger=2),
            "deconv2": Conv(b, a, 3, larger=2),
            "deconv3": Conv(a, 3, kernel_size),
        }
        for name, conv in convs.items():
            self.add_module(name, conv)
        for number, width in enumerate((a, b, c, b, a), start=1):
            self.add_module(f"in{number}", nn.InstanceNorm2d(width, affine=True))
        self.blocks = [f"res{number + 1}" for number in range(blocks)]
        for name in self.blocks:
            self.add_module(name, Residual(c))

    def forward(self, picture: Tensor) -> Tensor:
        x = picture
        for number, name in enumerate(("conv1", "conv2", "conv3"), start=1):
            x = self.get_submodule(f"in{number}")(self.get_submodule(name)(x)).relu()
        for name in self.blocks:
            x = self.get_submodule(name)(x)
        for number, name in enumerate(("deconv1", "deconv2"), start=4):
            x = self.get_submodule(f"in{number}")(self.get_submodule(name)(x)).relu()
        return self.get_submodule("deconv3")(x).clamp(0, 255)


def trained(**shape) -> Reference:
    """A reference whose norms and biases do something, and whose output fills 0..255."""
    torch.manual_seed(0)
    network = Reference(**shape).eval().requires_grad_(False)
    for name, parameter in network.named_parameters():
        if ".in" in f".{name}":
            parameter.copy_(torch.rand_like(parameter) + 0.2)
    last = network.get_submodule("deconv3.conv2d")
    last.weight *= 60
    last.bias.copy_(torch.tensor([90.0, 120.0, 150.0]))
    return network


@pytest.fixture(scope="module")
def reference() -> Reference:
    return trained()


def photo(height: int, width: int) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1))


def same_pictures(path: Path, reference: Reference) -> bool:
    network = load_style(path).network
    stylized = network(photo(32, 44)).clamp(0, 1)
    expected = reference(255 * photo(32, 44)) / 255
    assert expected.std() > 0.05  # a picture with something in it, not all of it clamped
    return bool((stylized - expected).abs().max() <= 1e-4)


def stale(state: dict[str, Tensor]) -> dict[str, Tensor]:
    norms = {key.removesuffix(".weight") for key in state if ".in" in f".{key}" and "weight" in key}
    for norm in norms:
        state[f"{norm}.running_mean"] = torch.full_like(state[f"{norm}.weight"], 7)
        state[f"{norm}.running_var"] = torch.full_like(state[f"{norm}.weight"], 7)
        state[f"{norm}.num_batches_tracked"] = torch.tensor(7)
    return state


VARIANTS = {
    "plain.pth": lambda state: state,
    "plain.model": lambda state: state,
    "CAPITALS.PTH": lambda state: state,
    "foreign.ckpt": lambda state: {"state_dict": state, "epoch": 3},
    "stale.model": stale,
    "parallel.pth": lambda state: {f"module.{key}": value for key, value in state.items()},
    "compiled.pt": lambda state: {f"_orig_mod.{key}": value for key, value in state.items()},
    "state_dict.pt": lambda state: {"state_dict": state, "epoch": 3},
    "model.pth": lambda state: {"model": {f"module.{k}": v for k, v in state.items()}},
    "nested.pth": lambda state: {"model": {"state_dict": stale(state)}, "optimizer": {"lr": 0.1}},
    "beside.pth": lambda state: (
        {f"transformer.{key}": value for key, value in state.items()}
        | {"vgg.features.0.weight": torch.zeros(4)}
    ),
    "parameters.pth": lambda state: {key: nn.Parameter(value) for key, value in state.items()},
    "no biases.pth": lambda state: {
        key: value
        for key, value in state.items()
        if not key.endswith("conv2d.bias") or key.startswith("deconv3")
    },
}


@pytest.mark.parametrize("name", VARIANTS)
def test_pictures_are_those_of_the_original(name, reference, tmp_path):
    torch.save(VARIANTS[name](OrderedDict(reference.state_dict())), tmp_path / name)
    assert same_pictures(tmp_path / name, reference)


@pytest.mark.parametrize(
    "shape",
    [
        {"widths": (32, 64, 128), "blocks": 5},
        {"widths": (4, 4, 4), "blocks": 0, "kernel_size": 5},
        {"widths": (6, 10, 7), "blocks": 11, "kernel_size": 3},
    ],
    ids=str,
)
def test_the_shape_is_found_in_the_weights(shape, tmp_path):
    reference = trained(**shape)
    torch.save(reference.state_dict(), tmp_path / "wave.pth")
    assert same_pictures(tmp_path / "wave.pth", reference)
    config = load_style(tmp_path / "wave.pth").network.config
    assert config["channels"] == list(shape["widths"])
    assert config["residual_blocks"] == shape["blocks"]


def test_files_from_before_zip_archives_and_safetensors_load_too(reference, tmp_path):
    state = reference.state_dict()
    torch.save(state, tmp_path / "old.model", _use_new_zipfile_serialization=False)
    assert same_pictures(tmp_path / "old.model", reference)
    save_file(state, tmp_path / "other.safetensors", {"format": "pt"})
    assert same_pictures(tmp_path / "other.safetensors", reference)


def test_half_precision_is_read_as_float32(reference, tmp_path):
    halves = {key: value.half() for key, value in reference.state_dict().items()}
    torch.save(halves, tmp_path / "half.pth")
    network = load_style(tmp_path / "half.pth").network
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}


@pytest.mark.parametrize("size", [(1, 1), (33, 50), (31, 8)])
def test_any_size_comes_out_as_it_went_in(size, reference, tmp_path):
    torch.save(reference.state_dict(), tmp_path / "candy.pth")
    stylized = load_style(tmp_path / "candy.pth").network(photo(*size))
    assert stylized.shape == (1, 3, *size)


def test_epsilon_is_used_as_in_the_original(reference, tmp_path):
    """On nearly constant pictures a wrong scale shows.

    The variance before the first norm is then of the order of its epsilon.
    """
    torch.save(reference.state_dict(), tmp_path / "candy.pth")
    network = load_style(tmp_path / "candy.pth").network.double()
    content = 0.5 + 1e-5 * photo(32, 32).double()
    expected = copy.deepcopy(reference).double()(255 * content) / 255
    assert (network(content).clamp(0, 1) - expected).abs().max() <= 1e-4


def test_it_is_a_style_file_like_any_other(reference, tmp_path):
    torch.save(reference.state_dict(), tmp_path / "candy.pth")
    style = load_style(tmp_path / "candy.pth")
    assert style.name == style.metadata["name"] == "candy"
    assert style.metadata["license"] == "not stated"
    assert style.metadata["layout"] == LAYOUT
    assert not style.network.training
    assert not any(parameter.requires_grad for parameter in style.network.parameters())
    save_style(tmp_path / "candy.safetensors", style.network, style.metadata)
    again = load_style(tmp_path / "candy.safetensors")
    assert again.metadata.items() >= json.loads(json.dumps(style.metadata)).items()
    assert same_pictures(tmp_path / "candy.safetensors", reference)


@pytest.mark.slow
def test_it_is_exported(reference, tmp_path):
    torch.save(reference.state_dict(), tmp_path / "candy.pth")
    model = to_onnx(load_style(tmp_path / "candy.pth").network, "photos")
    session = onnxruntime.InferenceSession(model)
    [stylized] = session.run(None, {"content": photo(32, 44).numpy()})
    expected = reference(255 * photo(32, 44)) / 255
    assert (torch.from_numpy(stylized).clamp(0, 1) - expected).abs().max() <= 1e-4


def test_infer_takes_it(reference, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(reference.state_dict(), "candy.pth")
    Image.effect_noise((41, 30), 80).convert("RGB").save("photo.png")
    common = ["infer.py", "engine=torch", "device=cpu", "style=candy.pth", "input=photo.png"]
    monkeypatch.setattr(sys, "argv", common)
    main()
    with Image.open("photo-candy.png") as stylized:
        assert stylized.size == (41, 30)
    monkeypatch.setattr(sys, "argv", [*common, "compare=true", "log_dir=logs"])
    main()  # times only, as the style image is not known
    assert Path("logs", "candy").is_dir()


def changed(reference: Reference, **tensors) -> dict[str, object]:
    return reference.state_dict() | {name.replace("_", "."): t for name, t in tensors.items()}


REFUSED = {
    "a list": lambda _: [torch.zeros(2)],
    "a tensor": lambda _: torch.zeros(2),
    "nothing": lambda _: {},
    "a number": lambda _: {"state_dict": 5},
    "another network": lambda _: {"features.0.weight": torch.zeros(2)},
    "two networks": lambda r: {f"{p}.{k}": v for p in "ab" for k, v in r.state_dict().items()},
    "a layer more": lambda r: changed(r, conv4_conv2d_weight=torch.zeros(2)),
    "a gap in the blocks": lambda r: changed(r, res4_in1_weight=torch.zeros(16)),
    "a layer less": lambda r: {k: v for k, v in r.state_dict().items() if k[:3] != "in5"},
    "another kernel": lambda r: changed(r, conv2_conv2d_weight=torch.zeros(12, 8, 5, 5)),
    "even kernels": lambda r: changed(r, deconv3_conv2d_weight=torch.zeros(3, 8, 4, 4)),
    "a scalar": lambda r: changed(r, deconv3_conv2d_weight=torch.tensor(1.0)),
    "a vector": lambda r: changed(r, conv1_conv2d_weight=torch.zeros(8)),
    "no width": lambda r: changed(r, in1_weight=torch.zeros(0)),
    "numbers": lambda r: changed(r, in1_weight=[1.0] * 8),
    "integers": lambda r: changed(r, in1_weight=torch.ones(8, dtype=torch.int8)),
    "sparse": lambda r: changed(r, in1_weight=torch.ones(8).to_sparse()),
    "no values": lambda r: changed(r, in1_weight=torch.ones(8, device="meta")),
    "terabytes": lambda r: changed(r, in1_weight=torch.ones(1).expand(10**12)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_contents_are_refused_in_one_sentence(name, reference, tmp_path):
    torch.save(REFUSED[name](reference), tmp_path / "other.pth")
    with pytest.raises(FastTransferError, match=r"of another program.*\(.*\); give [^\n]*$"):
        load_style(tmp_path / "other.pth")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("a list", "holds a list"),
        ("another network", r"holds \['features.0.weight'\] and no deconv3"),
        ("two networks", "holds 2 networks"),
        ("a layer less", "in5.weight is missing"),
        ("a layer more", "'conv4.conv2d.weight' has no place"),
        ("another kernel", r"shape \[12, 8, 5, 5\] instead of \[12, 8, 3, 3\]"),
    ],
)
def test_what_came_is_said(name, what, reference):
    with pytest.raises(ValueError, match=what):
        translate(REFUSED[name](reference))


def test_a_whole_network_is_refused_as_it_is_code(reference, tmp_path):
    torch.save(reference, tmp_path / "whole.pth")
    with pytest.raises(FastTransferError, match="would have to run code"):
        load_style(tmp_path / "whole.pth")


class Malicious:
    def __reduce__(self):
        return open, ("ran.txt", "w")


@pytest.mark.parametrize("name", ["evil.pth", "evil.model", "evil.pt"])
def test_a_pickle_that_wants_to_run_code_is_refused(name, reference, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(reference.state_dict() | {"more": Malicious()}, name)
    with pytest.raises(FastTransferError, match="would have to run code"):
        load_style(name)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        Path(name).write_bytes(pickle.dumps(Malicious(), protocol))
        with pytest.raises(FastTransferError, match=r"refused|damaged"):
            load_style(name)
    assert not Path("ran.txt").exists()


@pytest.mark.parametrize("contents", [b"", b"<!DOCTYPE html><title>404</title>", b"version https:"])
def test_what_torch_never_wrote_is_called_damaged(contents, tmp_path):
    (tmp_path / "candy.pth").write_bytes(contents)
    with pytest.raises(FastTransferError, match="damaged or not a checkpoint"):
        load_style(tmp_path / "candy.pth")


@given(st.integers(0, 10**6), st.binary(max_size=40), st.booleans())
@settings(max_examples=60, deadline=None)
def test_damage_is_one_sentence_at_most(tmp_path_factory, cut, tail, zipped):
    path = tmp_path_factory.mktemp("damage") / "candy.pth"
    state = Reference(widths=(1, 1, 1), blocks=0, kernel_size=1).state_dict()
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    path.write_bytes(whole[: cut % len(whole)] + tail)
    with contextlib.suppress(FastTransferError):  # new bytes at the end may pass for numbers
        load_style(path)
