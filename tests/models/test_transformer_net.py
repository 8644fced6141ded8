import copy
from itertools import product

import pytest
import torch
from hydra.utils import instantiate
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from torch import nn

from fasttransfer.core.assets import CONF_DIR
from fasttransfer.models.transformer_net import (
    ConvNorm,
    InstanceNorm,
    TransformerNet,
    fingerprint,
    reflect_to_multiple,
)

PRESETS = ("johnson", "default", "realtime")


def preset(name: str) -> TransformerNet:
    node = OmegaConf.load(CONF_DIR / "network" / f"{name}.yaml")
    return instantiate(node, _convert_="all").eval()


def tiny(**changes) -> TransformerNet:
    config = {
        "channels": [4, 6],
        "residual_blocks": 1,
        "kernel_size": 3,
        "unshuffle": 2,
        "smooth": True,
    }
    return TransformerNet(**(config | changes)).eval()


def multiply_adds_a_pixel(network: TransformerNet, side: int = 64) -> float:
    """Of the convolutions, counted while a picture goes through."""
    total = 0

    def count(conv: torch.nn.Conv2d, _, output: torch.Tensor) -> None:
        nonlocal total
        total += conv.weight.numel() * output.shape[-2] * output.shape[-1]

    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    with torch.no_grad():
        network(torch.rand(1, 3, side, side))
    return total / side**2


@pytest.mark.parametrize(
    ("name", "parameters", "multiply_adds"),
    [("johnson", 1.68e6, 153.8e3), ("default", 0.40e6, 29e3), ("realtime", 0.184e6, 13.3e3)],
)
def test_presets_have_the_size_that_is_promised(name, parameters, multiply_adds):
    network = preset(name)
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(parameters, rel=0.02)
    assert multiply_adds_a_pixel(network) == pytest.approx(multiply_adds, rel=0.02)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (3, 700), (17, 33), (31, 8)])
@torch.no_grad()
def test_presets_keep_odd_sizes(name, size):
    assert preset(name)(torch.rand(1, 3, *size)).shape == (1, 3, *size)


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 2, 4]), st.sampled_from([3, 9]))
@settings(max_examples=40, deadline=None)
@torch.no_grad()
def test_any_size_comes_out_as_it_went_in(height, width, unshuffle, kernel_size):
    network = tiny(unshuffle=unshuffle, kernel_size=kernel_size)
    stylized = network(torch.rand(2, 3, height, width))
    assert stylized.shape == (2, 3, height, width)
    assert stylized.isfinite().all()


def test_a_very_long_picture():
    with torch.no_grad():
        assert tiny()(torch.rand(1, 3, 3, 5000)).shape == (1, 3, 3, 5000)


def test_padding_reflects_at_the_bottom_and_the_right():
    row = torch.tensor([1.0, 2.0, 3.0]).view(1, 1, 1, 3)
    padded = reflect_to_multiple(row, multiple=8, at_least=8)
    assert padded.shape == (1, 1, 8, 8)
    assert padded[0, 0, 0].tolist() == [1, 2, 3, 2, 1, 2, 3, 2]
    assert (padded == padded[..., :1, :]).all()


def test_padding_leaves_a_fitting_picture_alone():
    images = torch.rand(1, 3, 16, 24)
    assert reflect_to_multiple(images, multiple=8, at_least=8) is images


@pytest.mark.parametrize("unshuffle", [2, 4])
def test_the_untrained_shuffled_output_has_no_grid(unshuffle):
    network = tiny(unshuffle=unshuffle, smooth=False)
    with torch.no_grad():
        stylized = network(torch.rand(1, 3, 32, 32))
    blocks = stylized.unfold(2, unshuffle, unshuffle).unfold(3, unshuffle, unshuffle)
    assert torch.allclose(blocks, blocks[..., :1, :1].expand_as(blocks))


def test_the_smooth_head_takes_a_period_2_pattern_away():
    smooth = tiny().head[-1]
    grid = torch.tensor([0.0, 1.0]).repeat(8).expand(1, 3, 16, 16)
    with torch.no_grad():
        assert torch.allclose(smooth(grid), torch.full((1, 3, 16, 16), 0.5), atol=1e-6)


def test_every_parameter_gets_a_gradient():
    network = tiny()
    network(torch.rand(1, 3, 16, 16)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_brightness_and_contrast_of_the_photo_do_not_matter():
    """What instance norm is for (Ulyanov et al. 2016), up to its epsilon."""
    network, content = tiny().double(), torch.rand(1, 3, 32, 32, dtype=torch.float64)
    with torch.no_grad():
        difference = network(content) - network(0.5 * content + 0.2)
    assert difference.abs().max() < 1e-3


def test_config_builds_the_same_network():
    network = tiny()
    again = TransformerNet(**network.config)
    again.load_state_dict(network.state_dict())


@pytest.mark.parametrize(
    "wrong",
    [{"kernel_size": 4}, {"channels": []}, {"unshuffle": 0}, {"residual_blocks": -1}],
    ids=str,
)
def test_impossible_shapes_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        tiny(**wrong)


def test_half_precision_keeps_statistics_in_float32():
    """Values whose squares overflow a half and lose everything in bfloat16 sums."""
    content = torch.rand(1, 3, 64, 64)
    network = tiny()
    with torch.no_grad():
        full = network(content)
        with torch.autocast("cpu", torch.bfloat16):
            half = network(content).float()
    assert (full - half).abs().mean() < 0.02


def test_residual_and_stride_are_consistent():
    for channels, unshuffle in product(([4], [4, 6], [4, 6, 8]), (1, 2)):
        network = tiny(channels=channels, unshuffle=unshuffle)
        assert network.stride == unshuffle * 2 ** (len(channels) - 1)
        assert network.smallest_side % network.stride == 0


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_instance_norm_is_that_of_pytorch(layout: torch.memory_format) -> None:
    norm, expected = (
        InstanceNorm(5, affine=True).double(),
        nn.InstanceNorm2d(5, affine=True).double(),
    )
    with torch.no_grad():
        norm.weight.copy_(torch.randn(5))
        norm.bias.copy_(torch.randn(5))
    expected.load_state_dict(norm.state_dict())
    features = 3 + torch.randn(2, 5, 7, 9, dtype=torch.float64)
    ours = features.clone(memory_format=layout).requires_grad_()
    theirs = features.clone().requires_grad_()
    assert torch.allclose(norm(ours), expected(theirs), atol=1e-12)
    norm(ours).square().sum().backward()
    expected(theirs).square().sum().backward()
    assert ours.grad is not None
    assert theirs.grad is not None
    assert torch.allclose(ours.grad, theirs.grad, atol=1e-9)


@torch.inference_mode()
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_large_pictures_are_normalized_as_well_as_small_ones(layout: torch.memory_format) -> None:
    """Group norm adds up one value after the other, and is 300 times as far off here."""
    torch.manual_seed(0)
    features = (3 + torch.randn(1, 4, 1000, 2000)).to(memory_format=layout)
    expected = nn.InstanceNorm2d(4)(features.double())
    found = InstanceNorm(4, affine=True)(features)
    assert (found - expected).abs().max() < 3e-6


@torch.inference_mode()
def test_norms_keep_the_kind_of_numbers() -> None:
    features = (3 + torch.randn(1, 4, 50, 60)).bfloat16()
    found = InstanceNorm(4, affine=True)(features)
    assert found.dtype == torch.bfloat16
    assert (found.float() - nn.InstanceNorm2d(4)(features.float())).abs().max() < 0.02


def test_gradients_do_not_depend_on_the_layout() -> None:
    """Those of PyTorch's group norm did, in a training."""
    networks = [TransformerNet([4, 8], 1, 3, 2, True) for _ in range(2)]
    networks[1].load_state_dict(networks[0].state_dict())
    networks[1].to(memory_format=torch.channels_last)
    photo = torch.rand(2, 3, 32, 32)
    layouts = (torch.contiguous_format, torch.channels_last)
    for network, layout in zip(networks, layouts, strict=True):
        network(photo.to(memory_format=layout)).square().mean().backward()
    for plain, other in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        assert plain.grad is not None
        assert other.grad is not None
        assert torch.allclose(plain.grad, other.grad, rtol=1e-3, atol=1e-6)


def test_renewed_scales_change_no_picture():
    torch.manual_seed(0)
    network = TransformerNet([4, 8], 2, 3, 2, True).double()
    new = copy.deepcopy(network)
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, ConvNorm):
                layer[0].weight *= 7
    photo = torch.rand(1, 3, 32, 40, dtype=torch.float64)
    before = network(photo)
    network.renew_scales()
    assert torch.allclose(network(photo), before, atol=1e-3)  # but for the norms' epsilon
    for layer in (layer for layer in network.modules() if isinstance(layer, ConvNorm)):
        kernel = layer[0].weight
        assert kernel.square().mean().sqrt().item() == pytest.approx(
            2 * (3 * kernel[0].numel()) ** -0.5
        )
    for name in ("head.0.weight", "encoder.1.1.weight"):  # no norm comes behind these
        assert torch.equal(network.get_parameter(name), new.get_parameter(name))


def test_the_fingerprint_follows_weights_and_shape() -> None:
    def tiny(seed: int, blocks: int = 1) -> TransformerNet:
        torch.manual_seed(seed)
        return TransformerNet([4, 8], blocks, 3, 2, True)

    assert fingerprint(tiny(0)) == fingerprint(tiny(0))
    assert fingerprint(tiny(0)) != fingerprint(tiny(1))
    assert fingerprint(tiny(0)) != fingerprint(tiny(0, blocks=2))


@pytest.mark.parametrize("autocast", [False, True])
def test_a_step_on_one_picture_has_the_very_numbers_of_pytorchs_norm(autocast: bool) -> None:
    ours, theirs = InstanceNorm(5, affine=True), nn.InstanceNorm2d(5, affine=True)
    nn.init.normal_(ours.weight)
    theirs.load_state_dict(ours.state_dict())
    start = torch.randn(1, 5, 9, 12, dtype=torch.bfloat16 if autocast else torch.float32)
    found = []
    for norm in (ours, theirs):
        features = start.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            normed = norm(features)
        normed.float().square().sum().backward()
        assert features.grad is not None
        found.append((normed, features.grad, norm.weight.grad, norm.bias.grad))
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)
