import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck
from torch.nn import functional as F

from fasttransfer.losses.color import directions, palette_difference, palette_of, tone_difference
from fasttransfer.losses.content import relative_content_loss, squared_content_loss
from fasttransfer.losses.gram import gram_matrix, relative_style_loss, squared_style_loss
from fasttransfer.losses.objectives import make_objective
from fasttransfer.losses.regularizers import (
    fine_energy,
    fine_excess,
    grid_pattern,
    mean_variation,
    out_of_range,
    total_variation,
)
from fasttransfer.models.vgg import VGG16Features

relative = partial(relative_style_loss, over_batch=False)


def doubles(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(shape, generator=generator, dtype=torch.float64, requires_grad=True)


def test_gram_matrix_by_hand():
    features = torch.tensor([[[1.0, 2.0]], [[3.0, 0.0]]])[None]  # 2 channels, 1×2 positions
    assert torch.allclose(gram_matrix(features), torch.tensor([[[2.5, 1.5], [1.5, 4.5]]]))


def test_gram_matrix_does_not_depend_on_the_size():
    features = torch.rand(1, 5, 4, 6)
    assert torch.allclose(
        gram_matrix(features), gram_matrix(features.repeat(1, 1, 2, 3)), atol=1e-6
    )


def test_gram_matrix_of_halves_does_not_overflow():
    features = torch.full((1, 2, 64, 64), 300.0, dtype=torch.float16)  # 300² alone is infinite
    with torch.autocast("cpu", torch.bfloat16):
        gram = gram_matrix(features)
    assert gram.dtype == torch.float32
    assert torch.allclose(gram, torch.full((1, 2, 2), 90_000.0))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradient_of_a_gram_matrix_in_reduced_precision(dtype, layout):
    generator = torch.Generator().manual_seed(0)
    features = 300 * torch.rand((2, 5, 64, 64), generator=generator)
    wanted = torch.randn((2, 5, 5), generator=generator)  # not symmetric, and its terms cancel
    gradients = []
    for kind in (dtype, torch.float32):
        own = features.to(kind, memory_format=layout).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            (wanted * gram_matrix(own)).sum().backward()
        assert own.grad.dtype == kind
        gradients.append(own.grad.float())
    difference = (gradients[0] - gradients[1]).norm() / gradients[1].norm()
    assert difference < 0.01


def test_content_losses_by_hand():
    content = torch.tensor([0.0, 2.0, 0.0, 2.0]).view(1, 1, 2, 2)  # variance 1
    stylized = content + 3
    assert squared_content_loss(stylized, content).item() == 9
    assert relative_content_loss(stylized, content).item() == 9
    assert relative_content_loss(10 * stylized, 10 * content).item() == pytest.approx(9)
    assert squared_content_loss(10 * stylized, 10 * content).item() == 900


def test_relative_content_loss_weighs_photos_alike():
    content = torch.tensor([0.0, 2.0]).view(1, 1, 1, 2)
    both = torch.cat([content, 100 * content])
    assert relative_content_loss(2 * both, both).item() == pytest.approx(2)


def test_style_losses_by_hand():
    gram, style = torch.eye(2)[None], torch.zeros(1, 2, 2)
    assert squared_style_loss(gram, style).item() == 2 / 4 / 4  # mean over 4 entries, over C²
    assert relative(gram, style).item() == 1
    assert relative(gram, gram).item() == 0
    assert relative(3 * gram, gram).item() == pytest.approx(4 / 10)


def test_style_loss_over_the_batch_compares_the_mean():
    gram = torch.stack([torch.eye(2), 3 * torch.eye(2)])
    style = 2 * torch.eye(2)[None]
    assert relative_style_loss(gram, style, over_batch=True).item() == 0
    assert relative(gram, style).item() > 0


@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_relative_style_loss_lies_between_0_and_1(channels, side, seed):
    generator = torch.Generator().manual_seed(seed)
    features = [torch.randn(1, channels, side, side, generator=generator).relu() for _ in range(2)]
    loss = relative(*map(gram_matrix, features))
    assert 0 <= loss <= 1 + 1e-6


def test_the_denominator_is_held_constant():
    """d/dG ‖G−S‖²/N = 2 (G−S)/N with N = ‖G‖²+‖S‖² as a number."""
    gram = doubles(1, 3, 3)
    style = doubles(1, 3, 3).detach() + 1
    relative(gram, style).backward()
    size = gram.detach().square().sum() + style.square().sum()
    assert torch.allclose(gram.grad, 2 * (gram.detach() - style) / size)


def test_total_variation_by_hand():
    assert total_variation(torch.ones(2, 3, 4, 4), scale=255).item() == 0
    step = torch.zeros(1, 1, 2, 2)
    step[..., 1] = 1  # two neighbours to the right differ by 1
    assert total_variation(step, scale=1).item() == 1
    assert total_variation(step, scale=255).item() == 255**2
    assert total_variation(step.repeat(5, 1, 1, 1), scale=1).item() == 1  # a mean over pictures
    assert mean_variation(step).item() == 0.25


def test_tone_by_hand():
    photo = torch.zeros(2, 3, 16, 32)
    photo[..., 8:16, :] = 0.5  # two rows of cells, dark and light
    photo[1] = 0.3  # without light and dark
    assert tone_difference(0.2 + 0.7 * photo, photo, 8).item() == pytest.approx(0.5, abs=5e-3)
    assert tone_difference(1 - photo, photo, 8).item() == pytest.approx(1.5, abs=5e-3)
    flat = torch.full_like(photo, 0.4)
    assert tone_difference(flat, photo, 8).item() == pytest.approx(1)
    strokes = photo + 0.2 * torch.tensor([1.0, -1.0]).repeat(16)  # within the cells
    assert tone_difference(strokes, photo, 8).item() == pytest.approx(0.5, abs=2e-2)


@pytest.mark.parametrize("size", [(1, 1), (3, 20), (64, 8)])
def test_tone_has_a_gradient_everywhere(size):
    photo = torch.rand(2, 3, *size, dtype=torch.double)
    for stylized in (torch.full_like(photo, 0.5), torch.rand_like(photo)):
        stylized.requires_grad_(True)
        tone_difference(stylized, photo, 8).backward()
        assert stylized.grad is not None
        assert torch.isfinite(stylized.grad).all()
    assert torch.autograd.gradcheck(
        lambda x: tone_difference(x, photo, 4),
        torch.rand_like(photo).requires_grad_(),
        fast_mode=True,  # along a random direction: one pixel after the other takes a minute
    )


def test_grid_pattern_by_hand():
    assert grid_pattern(torch.rand(1, 3, 1, 1).expand(1, 3, 9, 9), 2, 8).item() == pytest.approx(0)
    stripes = torch.tensor([0.0, 0.2]).repeat(8).expand(2, 3, 9, 16)  # amplitude 0.1 around 0.1
    for shaped in (stripes, stripes.mT):
        assert grid_pattern(shaped, 2, 8).item() == pytest.approx(0.01)
        assert grid_pattern(shaped, 2, 32).item() == pytest.approx(0.01)  # the window shrinks
    slope = torch.arange(17.0).expand(1, 3, 17, 17)
    assert grid_pattern(slope + 2 * slope.mT, 2, 8).item() == pytest.approx(0, abs=1e-6)
    torch.manual_seed(0)
    assert grid_pattern(torch.rand(1, 3, 256, 256), 2, 32) < 1e-3


def test_a_grid_is_found_where_it_is():
    """One that is stronger here, or has the opposite sign there, does not cancel."""
    stripes = torch.tensor([0.0, 0.2]).repeat(8).expand(1, 3, 16, 16)
    torch.testing.assert_close(
        grid_pattern(torch.cat((stripes, 0.2 - stripes), dim=3), 2, 8),
        torch.tensor(0.01),
        atol=2e-3,  # the windows over the seam
        rtol=0,
    )


def test_a_picture_too_small_for_a_grid_has_none():
    image = torch.rand(1, 3, 2, 9, requires_grad=True)
    assert grid_pattern(image, 2, 8) == 0


@pytest.mark.parametrize("period", [2, 3, 4, 8])
def test_fine_energy_of_stripes_by_hand(period):
    """A cosine of amplitude a has the mean square a² / 2, and checks of period 2 have a²."""
    places = torch.arange(48 + 4, dtype=torch.float64)  # whole periods, once four are taken off
    stripes = 0.5 + 0.1 * torch.cos(2 * torch.pi * places / period).expand(2, 3, 52, 52)
    seen = math.sin(math.pi / period) ** 4
    wanted = (0.1 * seen) ** 2 / (1 if period == 2 else 2)
    for shaped, directions_seen in ((stripes, [wanted, 0]), (stripes.mT, [0, wanted])):
        assert fine_energy(shaped).tolist() == pytest.approx(directions_seen, abs=1e-12)
    slope = places.square().expand(1, 3, 52, 52)
    assert fine_energy(slope).tolist() == pytest.approx([0, 0], abs=1e-12)
    assert fine_energy(stripes[..., :4]).tolist() == [0, 0]


def test_only_what_is_finer_than_the_style_image_costs():
    torch.manual_seed(0)
    style = torch.rand(1, 3, 32, 32)
    own = fine_energy(style)
    assert fine_excess(style, own) == 0
    assert fine_excess(0.9 * style.roll(5, -1), own) == 0
    assert fine_excess(3**0.5 * style, own).item() == pytest.approx(0.5)  # three times the energy
    stripes = torch.tensor([0.0, 0.2]).repeat(16).expand(1, 3, 32, 32)
    assert fine_excess(stripes, torch.zeros(2)).item() == pytest.approx(0.5)  # in one direction
    flat = torch.full((1, 3, 32, 32), 0.3, requires_grad=True)
    fine_excess(flat, torch.zeros(2)).backward()
    assert flat.grad is not None
    assert torch.isfinite(flat.grad).all()


def test_the_gradient_of_what_is_too_fine_is_less_of_it():
    torch.manual_seed(0)
    picture = torch.rand(1, 3, 16, 16, requires_grad=True)
    own = fine_energy(picture.detach()) / 9
    before = fine_excess(picture, own)
    before.backward()
    assert picture.grad is not None
    with torch.no_grad():
        assert fine_excess(picture - picture.grad, own) < before


def test_out_of_range_by_hand():
    assert out_of_range(torch.tensor([0.0, 0.5, 1.0])).item() == 0
    assert out_of_range(torch.tensor([-1.0, 3.0])).item() == 2.5


def test_a_palette_does_not_depend_on_place_number_or_size():
    torch.manual_seed(0)
    colours = torch.rand(3, 400, dtype=torch.float64)
    pictures = [  # cells of 2×2 pixels, in any order
        colours[:, torch.randperm(400)]
        .reshape(1, 3, *shape)
        .repeat_interleave(2, 2)
        .repeat_interleave(2, 3)
        for shape in ((20, 20), (10, 40))
    ]
    alone = palette_of(pictures[0])
    assert alone.shape == (12, 256)
    assert torch.allclose(palette_of(pictures[1]), alone)
    assert torch.allclose(palette_of(pictures[0].repeat(3, 1, 1, 1)), alone, atol=1e-2)


def test_palettes_by_hand():
    """Of two greys a and b, half and half, the distance to c and d is ((a-c)² + (b-d)²) / 2 along grey,
    whichever stands where; the variance is ((c - d) / 2)²."""
    halves = torch.ones(1, 3, 32, 32, dtype=torch.float64)
    ours, theirs = halves * 0.2, halves * 0.5
    ours[..., :16], theirs[..., 16:, :] = 0.8, 0.9
    palette = palette_of(theirs)
    expected = (0.3**2 + 0.1**2) / 2 / 0.2**2
    assert palette_difference(ours, palette).item() == pytest.approx(expected)
    assert palette_difference(theirs, palette).item() == 0
    one_colour = halves * theirs.mean()
    assert palette_difference(one_colour, palette).item() == pytest.approx(1)


def test_a_style_of_one_colour_has_a_palette_too():
    flat = torch.full((1, 3, 16, 16), 0.5)
    assert palette_difference(flat, palette_of(flat)).item() == 0
    assert torch.isfinite(palette_difference(flat + 0.1, palette_of(flat)))


def test_a_palette_is_more_than_its_means_and_spreads():
    """Red and cyan are as bright and as varied as green and magenta, but others."""
    picture = torch.zeros(1, 3, 32, 32)
    picture[:, 0, :16], picture[:, 1:, 16:] = 1, 1
    other = picture.roll(1, dims=1)
    assert palette_difference(other, palette_of(picture)) > 0.1


def test_directions_are_evenly_spread():
    vectors = directions(12)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(12, dtype=torch.float64))
    angles = (vectors @ vectors.T).fill_diagonal_(0).abs().max()
    assert angles < 0.95  # no two are nearly the same, or opposite
    squares = vectors.T @ vectors / 12
    assert torch.allclose(squares, torch.eye(3, dtype=torch.float64) / 3, atol=0.04)


@pytest.mark.parametrize(
    "loss",
    [
        gram_matrix,
        lambda x: squared_style_loss(gram_matrix(x), torch.ones(1, 2, 2, dtype=x.dtype)),
        lambda x: squared_content_loss(x, torch.ones_like(x)),
        lambda x: relative_content_loss(x, doubles(2, 2, 3, 4).detach().square()),
        lambda x: total_variation(x, scale=255),
        lambda x: out_of_range(3 * x - 1),
        lambda x: grid_pattern(x, 2, 2),
        lambda x: fine_energy(F.pad(x, (2, 2, 2, 2), "replicate")),
        lambda x: palette_difference(
            torch.cat([x, x[:, :1]], 1), palette_of(doubles(1, 3, 6, 8).detach())
        ),
    ],
    ids=["gram", "style", "content", "relative content", "tv", "range", "grid", "fine", "palette"],
)
def test_gradients(loss):
    assert gradcheck(loss, doubles(2, 2, 3, 4))


@pytest.fixture(scope="module")
def features() -> VGG16Features:
    return VGG16Features("bundled")


@pytest.mark.parametrize("name", ["balanced", "johnson"])
def test_objectives_put_the_functions_together(name, features):
    objective = make_objective(name, features)
    content, stylized, style = (torch.rand(2, 3, 32, 32) for _ in range(3))
    style /= 2  # so that the pictures are finer
    objective.set_style(style[:1])
    with torch.no_grad():
        terms = objective(stylized, content)
        found = features(stylized, objective.style_layers)
        wanted = features(style[:1], objective.style_layers)
        at = features(content, ["relu3_3"])["relu3_3"]
    by_layer = []
    for layer in objective.style_layers:
        grams = gram_matrix(found[layer]), gram_matrix(wanted[layer])
        expected = (
            squared_style_loss(*grams) if name == "johnson" else relative_style_loss(*grams, True)
        )
        assert terms[f"style_{layer}"] == pytest.approx(expected.item(), rel=1e-5)
        by_layer.append(expected.item())
    if name == "johnson":
        assert terms["content"] == pytest.approx((found["relu3_3"] - at).square().mean().item())
        tv = total_variation(stylized, 255)
        total = terms["content"] + 5 * sum(by_layer) + 1e-6 * tv
    else:
        shape = 10_000 * grid_pattern(stylized, 4, 60) + 2 * tone_difference(stylized, content, 8)
        colours = 4 * palette_difference(stylized, palette_of(style[:1]))
        shape += 2 * fine_excess(stylized, fine_energy(style[:1]))
        total = terms["content"] + 20 * sum(by_layer) / 4 + shape + colours
    assert terms["total"].item() == pytest.approx(total.item(), rel=1e-5)


def test_the_photo_itself_has_no_content_loss_and_the_style_image_no_style_loss(features):
    objective = make_objective("balanced", features)
    picture = torch.rand(1, 3, 32, 32)
    objective.set_style(picture)
    terms = objective(picture, picture)
    assert terms["content"].item() == 0
    assert terms["style"].item() == pytest.approx(0, abs=1e-9)


def test_gradient_reaches_the_picture_through_the_loss_network(features):
    objective = make_objective("balanced", features)
    objective.set_style(torch.rand(1, 3, 32, 32))
    stylized = torch.rand(1, 3, 32, 32, requires_grad=True)
    objective(stylized, torch.rand(1, 3, 32, 32))["total"].backward()
    assert stylized.grad is not None
    assert stylized.grad.abs().max() > 0
