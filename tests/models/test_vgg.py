import math
import urllib.request

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models.vgg import cfgs, make_layers

from fasttransfer.core.errors import FastTransferError
from fasttransfer.models.vgg import LAYERS, VGG16Features, load_vgg_weights
from tests.helpers.operations import Operations


@pytest.fixture(scope="module")
def features() -> VGG16Features:
    return VGG16Features("bundled")


@pytest.fixture(scope="module")
def reference(features) -> torch.nn.Sequential:
    """The features of torchvision's VGG16 with the same weights, its pooling and all."""
    plain = make_layers(cfgs["D"]).eval()
    plain.load_state_dict({k.removeprefix("features."): v for k, v in features.state_dict().items()},
                          strict=False)  # fmt: skip
    return plain


@torch.no_grad()
def test_every_layer_equals_plain_torchvision(features, reference):
    images = torch.rand(2, 3, 40, 56)
    found = features(images, LAYERS)
    mean = torch.tensor([0.48235, 0.45882, 0.40784]).view(1, 3, 1, 1)
    activation = (images - mean) * 255
    expected: dict[str, torch.Tensor] = {}
    for index, layer in enumerate(reference):
        activation = layer(activation.clone())  # torchvision's ReLUs work in place
        expected |= {name: activation for name, at in LAYERS.items() if at == index}
    assert expected.keys() == found.keys() == LAYERS.keys()
    for name in LAYERS:
        # Another memory layout sums in another order; nothing else may differ.
        assert (found[name] - expected[name]).abs().max() <= 1e-5 * expected[name].max(), name


@torch.no_grad()
def test_shapes(features):
    found = features(torch.rand(1, 3, 48, 32), ["relu1_2", "relu2_2", "relu3_3", "relu4_3"])
    assert [tuple(f.shape[1:]) for f in found.values()] == [
        (64, 48, 32), (128, 24, 16), (256, 12, 8), (512, 6, 4)
    ]  # fmt: skip


def test_computes_no_deeper_than_asked(features):
    ran = []
    hooks = [
        layer.register_forward_hook(lambda *_, i=i: ran.append(i))
        for i, layer in enumerate(features.features)
    ]
    features(torch.rand(1, 3, 16, 16), ["relu2_2"])
    for hook in hooks:
        hook.remove()
    assert max(ran) == LAYERS["relu2_2"]


def test_nothing_of_it_is_trained(features):
    assert not any(p.requires_grad for p in features.parameters())
    images = torch.rand(1, 3, 16, 16, requires_grad=True)
    features(images, ["relu1_2"])["relu1_2"].sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


def test_it_knows_what_a_picture_looks_like(features):
    """Trained weights answer an edge more selectively than a flat picture; random ones hardly."""
    edge = torch.zeros(1, 3, 64, 64)
    edge[..., 32:] = 1
    with torch.no_grad():
        found = features(edge, ["relu1_2"])["relu1_2"][0]
    at_edge, beside = found[:, 20:40, 30:34].mean(), found[:, 20:40, 8:24].mean()
    assert math.isfinite(at_edge)
    assert at_edge > 1.2 * beside


def test_an_unknown_layer_is_named(features):
    with pytest.raises(FastTransferError, match=r"relu5_1.*choose from relu1_1"):
        features(torch.rand(1, 3, 16, 16), ["relu5_1"])


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_weights_from_a_file(features, tmp_path, ending):
    path = tmp_path / f"weights.{ending}"
    state = {**load_vgg_weights("bundled"), "classifier.0.weight": torch.zeros(2, 2)}
    save_file(state, path) if ending == "safetensors" else torch.save(state, path)
    loaded = VGG16Features(str(path))
    for left, right in zip(features.parameters(), loaded.parameters(), strict=True):
        assert torch.equal(left, right)


def test_foreign_weights_are_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"features.0.weight": torch.zeros(8, 3, 3, 3)}, path)
    with pytest.raises(FastTransferError, match="do not fit"):
        VGG16Features(str(path))
    (tmp_path / "broken.pth").write_bytes(b"no weights")
    with pytest.raises(FastTransferError, match="cannot be read"):
        VGG16Features(str(tmp_path / "broken.pth"))


def test_torchvision_weights_without_a_network_name_the_bundled_ones(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    # Every download of the process goes to a port where nobody listens: the real loader, offline.
    proxy = urllib.request.ProxyHandler(
        {"https": "http://127.0.0.1:9", "http": "http://127.0.0.1:9"}
    )
    monkeypatch.setattr(urllib.request, "_opener", urllib.request.build_opener(proxy))
    with pytest.raises(FastTransferError, match="bundled"):
        VGG16Features("torchvision")


@torch.no_grad()
def test_autocast_finds_weights_cast_once_and_equal_to_those_cast_in_each_pass(features):
    images = torch.rand(1, 3, 24, 32)
    with torch.autocast("cpu", torch.bfloat16):
        features(images, ["relu4_3"])
        with Operations(on_cpu=True) as counted:
            found = features(images, ["relu4_3"])["relu4_3"]
        expected = (images.contiguous(memory_format=torch.channels_last) - features.mean) * 255
        for layer in features.features[: LAYERS["relu4_3"] + 1]:
            expected = layer(expected)
    assert torch.equal(found, expected)
    assert counted.names.count("aten::_to_copy") == 1  # the pixels
    assert features(images, ["relu1_1"])["relu1_1"].dtype == torch.float32


@torch.no_grad()
def test_equal_images_are_looked_at_once_while_they_are_remembered(features):
    images, others = torch.rand(2, 1, 3, 16, 16)
    expected = {name: features(images, [name])[name] for name in ("relu1_2", "relu2_2")}
    with features.remembering():
        features(images, expected)
        with Operations(on_cpu=True) as counted:
            found = features(images.clone(), ["relu2_2"])
        assert "aten::convolution" not in counted.names
        assert features(images, ["relu3_1"]).keys() == {"relu3_1"}  # deeper than before
        assert not torch.equal(features(others, ["relu2_2"])["relu2_2"], expected["relu2_2"])
    assert found.keys() == {"relu2_2"}
    assert torch.equal(found["relu2_2"], expected["relu2_2"])
    with Operations(on_cpu=True) as counted:
        features(images, ["relu2_2"])
    assert counted.names.count("aten::convolution") == 4  # nothing is kept
