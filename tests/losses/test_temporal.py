import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd import gradcheck

from fasttransfer.core.errors import FastTransferError
from fasttransfer.losses.temporal import TemporalLoss, inside, random_flow, temporal_loss, warp
from fasttransfer.models.transformer_net import TransformerNet
from tests.helpers.fakes import fake_cuda
from tests.helpers.operations import Operations

STILL = {"weight": 1, "bend": 0, "cell": 8, "shift": 0, "zoom": 0, "noise": 0, "margin": 0}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def constant_flow(x: float, y: float, height: int, width: int) -> torch.Tensor:
    return torch.tensor([x, y]).view(1, 2, 1, 1).expand(1, 2, height, width)


def loss(**changed: float) -> TemporalLoss:
    return TemporalLoss(**(STILL | {"seed": 0} | changed))


def test_warp_takes_each_pixel_from_where_the_flow_points():
    row = torch.tensor([0.0, 1.0, 2.0, 3.0]).expand(1, 1, 4, 4)
    right = warp(row, constant_flow(1, 0, 4, 4))
    assert right[0, 0, 0].tolist() == [1, 2, 3, 3]  # at the edge the picture is reflected
    down = warp(row.mT, constant_flow(0, 1, 4, 4))
    assert torch.equal(down, right.mT)


def test_warp_by_half_a_pixel_is_the_bicubic_mean():
    step = torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(1, 1, 4, 4)
    # Cubic convolution with a = -0.75 weighs the four neighbors -3/32, 19/32, 19/32, -3/32.
    half = warp(step, constant_flow(0.5, 0, 4, 4))
    assert half[0, 0, 0, 1].item() == pytest.approx(0.5)
    assert half[0, 0, 0, 0].item() == pytest.approx(-3 / 32)


@given(st.integers(2, 40), st.integers(2, 40), st.integers(-5, 5), st.integers(-5, 5))
@settings(max_examples=30, deadline=None)
def test_a_warp_by_whole_pixels_is_a_shift_where_it_is_inside(height, width, x, y):
    images = torch.rand(1, 2, height, width, dtype=torch.float64)
    flow = constant_flow(x, y, height, width).double()
    shifted = images.roll((-y, -x), (-2, -1))
    mask = inside(flow, 0)
    assert mask.sum() == max(0, height - abs(y)) * max(0, width - abs(x))
    assert torch.allclose(warp(images, flow) * mask, shifted * mask, atol=1e-9)


def test_the_margin_counts_at_both_ends_of_the_flow():
    mask = inside(constant_flow(2, 0, 6, 8), 1)[0, 0]
    columns = [False, True, True, True, True, False, False, False]  # from 1 on, and to 6 - 2
    assert mask[2].tolist() == columns
    assert mask[:, 2].tolist() == [False, True, True, True, True, False]


def test_random_flow_keeps_its_limits():
    def flow(**limits: float) -> torch.Tensor:
        none = {"bend": 0.0, "cell": 8, "shift": 0.0, "zoom": 0.0}
        return random_flow(40, 24, **(none | limits), generator=seeded())

    assert torch.equal(flow(), torch.zeros(2, 40, 24))
    shifted = flow(shift=5)
    assert torch.equal(shifted, shifted[:, :1, :1].expand(2, 40, 24))
    assert 0 < shifted.abs().max() <= 5
    zoomed = flow(zoom=0.1)
    assert torch.allclose(zoomed[0], -zoomed[0].flip(-1))  # the middle stays
    ratio = zoomed[0, 0, -1] / 11.5
    assert 0 < ratio.abs() <= 0.1
    assert torch.allclose(zoomed[1, -1, 0], ratio * 19.5)
    bent = flow(bend=3)
    assert 0.5 < bent.abs().max() < 3 * 1.6  # bicubic interpolation may overshoot
    assert bent.diff(dim=-1).abs().max() < 3  # smooth: 8 pixels lead from one value to the next


@pytest.mark.parametrize("shift", [(4, 0), (0, -8), (-4, 4)])
def test_a_network_that_moves_its_strokes_along_has_no_loss(shift):
    """A shift by the stride moves what the network makes of a photo.

    It does so far enough from the edges and without norms, whose statistics are of the whole
    picture.
    """
    torch.manual_seed(0)
    network = TransformerNet([4, 4], 1, 3, 2, True)
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.InstanceNorm2d):
                setattr(module, name, nn.Identity())
    assert network.stride == 4
    network.double()
    content = torch.rand(1, 3, 128, 128, dtype=torch.float64, generator=seeded())

    def term(x: float, y: float, margin: int) -> float:
        flow = constant_flow(x, y, 128, 128).double()
        return temporal_loss(network(warp(content, flow)), network(content), flow, margin).item()

    with torch.no_grad():
        assert term(*shift, margin=48) < 1e-15
        assert term(*shift, margin=0) > 1e-6  # the edges
        assert term(2, 0, margin=48) > 1e-6  # by half the stride it is another picture


def test_what_works_pixel_by_pixel_has_exactly_no_loss():
    content = torch.rand(2, 3, 64, 32, generator=seeded())
    flow = constant_flow(4, -8, 64, 32).expand(2, 2, 64, 32)
    assert temporal_loss(1 - warp(content, flow), 1 - content, flow, margin=0).item() == 0


def test_temporal_loss_by_hand():
    stylized, still = torch.zeros(2, 3, 6, 8), torch.zeros(2, 2, 6, 8)
    moved = stylized.clone()
    moved[0, 0, 2, 3] = 0.5  # one value of 2·3·6·8
    assert temporal_loss(moved, stylized, still, 0).item() == pytest.approx(0.5 / 288)
    assert temporal_loss(moved, stylized, still, 2).item() == pytest.approx(0.5 / (2 * 3 * 2 * 4))
    moved[0, 0, 0, 0] = 9  # in the margin
    assert temporal_loss(moved, stylized, still, 2).item() == pytest.approx(0.5 / 48)
    assert temporal_loss(moved, stylized, still + 99, 0).item() == 0  # nothing to compare


def test_gradient_reaches_both_pictures():
    pictures = [
        torch.rand(1, 3, 6, 5, dtype=torch.float64, generator=seeded(n), requires_grad=True)
        for n in (1, 2)
    ]
    flow = random_flow(6, 5, bend=1, cell=3, shift=1, zoom=0.1, generator=seeded())[None].double()
    assert gradcheck(lambda a, b: temporal_loss(a, b, flow, 0), pictures)


def test_a_still_photo_and_noise():
    content = torch.full((1, 3, 64, 64), 0.5)
    assert loss()(lambda photos: photos, content, content, 0).item() == 0
    # The mean absolute value of a normal number is √(2/π) of its standard deviation.
    found = [loss(noise=8)(lambda p: p, content, content, n).item() * 255 for n in range(20)]
    assert max(found) < 8 * 0.8
    assert sum(found) / 20 == pytest.approx(4 * 0.798, rel=0.4)


def test_the_edges_of_a_crop_do_not_count():
    content = torch.zeros(1, 3, 32, 32)
    edge = content.clone()
    edge[..., :4, :] = 1
    assert loss()(lambda _: edge, content, content, 0).item() == pytest.approx(4 / 32)
    assert loss(margin=0.1)(lambda _: edge, content, content, 0).item() == pytest.approx(1 / 26)
    assert loss(margin=0.125)(lambda _: edge, content, content, 0).item() == 0


def test_flows_follow_from_seed_and_number():
    limits = {"bend": 2.0, "shift": 4.0, "zoom": 0.05, "noise": 4.0}
    contents = torch.rand(2, 3, 24, 24, generator=seeded())

    def seen(first: int, photos: torch.Tensor, **changed: int) -> list[torch.Tensor]:
        kept = []
        loss(**limits, **changed)(lambda p: kept.append(p) or p, photos, photos, first)
        return list(kept[0])

    both = seen(6, contents)
    assert torch.equal(seen(6, contents[:1])[0], both[0])  # whatever the batch
    assert torch.equal(seen(7, contents[1:])[0], both[1])
    assert not torch.equal(seen(7, contents[:1])[0], both[0])
    assert not torch.equal(seen(6, contents[:1], seed=1)[0], both[0])


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("weight", -1),
        ("bend", -1),
        ("cell", 0),
        ("shift", float("inf")),
        ("zoom", 1),
        ("noise", -2),
    ],
)
def test_settings_that_cannot_be(setting, value):
    with pytest.raises(FastTransferError, match=rf"temporal\.{setting}={value}"):
        loss(**{setting: value})


@fake_cuda
def test_a_flow_on_a_device_needs_nothing_from_the_host() -> None:
    """Where it did, each step would wait for the device: counted on tensors without numbers."""
    with FakeTensorMode(), torch.device("cuda"), Operations() as counted:
        flow, pictures = torch.empty(2, 2, 32, 48), torch.empty(2, 3, 32, 48)
        loss = temporal_loss(pictures, pictures, flow, margin=2)
    assert loss.shape == ()
    assert counted.crossings == counted.waits == []
