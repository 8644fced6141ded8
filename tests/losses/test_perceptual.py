import math
import re
from collections.abc import Mapping
from functools import partial

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck
from torch.nn import functional as F

from fasttransfer.core.errors import FastTransferError
from fasttransfer.losses.color import palette_difference, palette_of, tone_difference
from fasttransfer.losses.content import relative_content_loss, squared_content_loss
from fasttransfer.losses.gram import gram_matrix, relative_style_loss, squared_style_loss
from fasttransfer.losses.objectives import make_objective
from fasttransfer.losses.perceptual import PerceptualLoss
from fasttransfer.losses.regularizers import (
    fine_energy,
    fine_excess,
    grid_pattern,
    out_of_range,
    total_variation,
)
from fasttransfer.losses.terms import Seen, Term, Value
from fasttransfer.models.vgg import VGG16Features


def doubles(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(shape, generator=generator, dtype=torch.float64, requires_grad=True)


relative = partial(relative_style_loss, over_batch=False)


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
    loss = make_objective(name, features)
    content, stylized, style = (torch.rand(2, 3, 64, 64) for _ in range(3))
    painting = style[:1] / 2  # so that the pictures are finer
    objective = loss.for_style(painting)
    with torch.no_grad():
        terms = objective(stylized, content)
        found = features(stylized, loss.style_layers)
        wanted = features(painting, loss.style_layers)
        at = features(content, ["relu3_3"])["relu3_3"]
    by_layer = []
    for layer in loss.style_layers:
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
        half, quarter = (F.avg_pool2d(stylized, n) for n in (2, 4))
        style = 20 * (sum(by_layer) / 4 + 0.8 * terms["style_half"] + 0.5 * terms["style_quarter"])
        content_term = 1.2 * (terms["content_full"] + terms["content_half"])
        shape = 10_000 * grid_pattern(stylized, 4, 60) + 3 * tone_difference(stylized, content, 8)
        colors = 4 * palette_difference(stylized, palette_of(painting))
        shape += 2 * fine_excess(stylized, fine_energy(painting))
        total = content_term + style + shape + colors
        for name, reduced, divisor in (("half", half, 2), ("quarter", quarter, 4)):
            found = features(reduced, loss.style_layers)
            wanted = features(F.avg_pool2d(painting, divisor), loss.style_layers)
            distances = [
                relative_style_loss(gram_matrix(found[n]), gram_matrix(wanted[n]), True)
                for n in loss.style_layers
            ]
            assert terms[f"style_{name}"] == pytest.approx(sum(distances).item() / 4, rel=1e-5)
    assert terms["total"].item() == pytest.approx(total.item(), rel=1e-5)


def test_the_photo_itself_has_no_content_loss_and_the_style_image_no_style_loss(features):
    picture = torch.rand(1, 3, 32, 32)
    objective = make_objective("balanced", features).for_style(picture)
    terms = objective(picture, picture)
    assert terms["content"].item() == 0
    assert terms["style"].item() == pytest.approx(0, abs=1e-9)


def test_gradient_reaches_the_picture_through_the_loss_network(features):
    objective = make_objective("balanced", features).for_style(torch.rand(1, 3, 32, 32))
    stylized = torch.rand(1, 3, 32, 32, requires_grad=True)
    objective(stylized, torch.rand(1, 3, 32, 32))["total"].backward()
    assert stylized.grad is not None
    assert stylized.grad.abs().max() > 0


def test_a_part_of_a_crop_follows_from_its_number(features):
    loss = make_objective("balanced", features)
    crops = torch.rand(1, 3, 224, 200)
    corners = [loss.corner(crops, number) for number in range(40)]
    assert corners == [loss.corner(crops, number) for number in range(40)]
    rows, columns = zip(*corners, strict=True)
    assert 0 <= min(rows) < 8
    assert 24 < max(rows) <= 32
    assert min(columns) >= 0
    assert max(columns) <= 8
    assert loss.corner(crops, None) is None
    assert loss.corner(crops[..., :192, :], 3) is None, "no larger than the part"


@pytest.mark.slow
def test_only_the_part_is_compared_at_full_size(features):
    loss = make_objective("balanced", features)
    content, stylized = torch.rand(2, 1, 3, 208, 208)
    target = loss.target(torch.rand(1, 3, 64, 64))
    row, column = loss.corner(content, 7)
    inside = (..., slice(row, row + 192), slice(column, column + 192))
    with torch.no_grad():
        terms = loss(stylized, content, target, first_crop=7)
        alone = loss(stylized[inside], content[inside], target)
        whole = loss(stylized, content, target)
    assert terms["style_full"] == pytest.approx(alone["style_full"].item(), rel=1e-5)
    assert terms["content_full"] == pytest.approx(alone["content_full"].item(), rel=1e-5)
    for term in ("style_half", "style_quarter", "content_half", "tone", "palette"):
        assert terms[term] == pytest.approx(whole[term].item(), rel=1e-5), term


def test_levels_that_do_not_fit_are_left_out(features):
    objective = make_objective("balanced", features).for_style(torch.rand(1, 3, 64, 64))
    with torch.no_grad():
        terms = objective(*torch.rand(2, 1, 3, 31, 40))
    assert "style_half" in terms
    assert "style_quarter" not in terms


def test_levels_that_do_not_fit_into_the_style_image_are_left_out(features):
    small, large = (torch.rand(1, 3, side, 80) for side in (20, 80))
    loss = make_objective("balanced", features)
    with torch.no_grad():
        terms = loss.for_style(small)(*torch.rand(2, 1, 3, 64, 64))
    assert "style_half" in terms
    assert "style_quarter" not in terms
    assert len(loss.target(small).mixed_with(loss.target(large)).levels) == 2


def test_strength_multiplies_what_follows_the_style(features):
    loss = make_objective("balanced", features)
    content, stylized, style = torch.rand(3, 1, 3, 64, 64)
    with torch.no_grad():
        once, twice = (loss.for_style(style, n)(stylized, content) for n in (1, 2))
    more = 20 * once["style"] + 4 * once["palette"]
    assert twice["total"].item() == pytest.approx((once["total"] + more).item(), rel=1e-5)


def test_a_target_in_the_middle_of_two(features):
    loss = make_objective("balanced", features)
    one, other = (loss.target(torch.rand(1, 3, 64, 64)) for _ in range(2))
    middle = one.mixed_with(other).of("style")["half_relu2_2"]
    expected = (one.of("style")["half_relu2_2"] + other.of("style")["half_relu2_2"]) / 2
    assert torch.equal(middle, expected)


def test_terms_that_need_no_style(features):
    loss = make_objective("balanced", features)
    content, stylized, style = torch.rand(3, 1, 3, 64, 64)
    with torch.no_grad():
        whole = loss.for_style(style)(stylized, content)
    found = loss.without_style(stylized, content)
    assert {"content", "content_half", "tv", "range", "grid", "tone"} <= {*found}
    assert not [name for name in found if "style" in name or name in ("palette", "fine", "total")]
    for name, value in found.items():
        assert value == pytest.approx(whole[name].item(), rel=1e-6), name


class Brightness(Term):
    """A term as somebody else might add it."""

    def forward(self, seen: Seen, target: Mapping[str, Tensor]) -> Value:
        """Mean of all colors."""
        return Value(seen.stylized.mean(), {})


def test_a_new_term_is_a_class_and_a_weight(features):
    loss = PerceptualLoss(
        features,
        [{"reduce": 1, "content": 1, "style": 1}],
        None,
        {"bright": Brightness()},
        bright_weight=3,
    )
    half = torch.full((1, 3, 32, 32), 0.5)
    assert loss.for_style(half)(half, half)["total"].item() == pytest.approx(1.5)
    assert loss.weighted(bright=5).for_style(half)(half, half)["total"].item() == pytest.approx(2.5)
    assert loss.weights == {"bright": 3}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"levels": [{"reduce": 2, "content": 1, "style": 1}]}, "divisors"),
        ({"levels": [{"reduce": 1, "content": -1, "style": 1}]}, "content=-1 must be a number"),
        ({"levels": [{"reduce": math.inf, "content": 1, "style": 1}]}, "must be a whole number"),
        ({"levels": [{"reduce": 0, "content": 1, "style": 1}]}, "reduce=0 must be a whole number"),
        ({"levels": [{"reduce": 1, "style": 1}]}, "give each level reduce, content, style"),
        ({"levels": [{}]}, "give each level"),
        ({"levels": [1]}, "give each level"),
        ({"part": 4}, "loss.part=4"),
        ({"bright_weight": float("nan")}, "loss.bright_weight=nan"),
        ({"tone_weight": 1}, "give each term its NAME_weight"),
    ],
)
def test_what_cannot_be_used_is_refused(features, change, said):
    usual = {"levels": [{"reduce": 1, "content": 1, "style": 1}], "part": None, "bright_weight": 1}
    with pytest.raises(FastTransferError, match=re.escape(said)):
        PerceptualLoss(features, terms={"bright": Brightness()}, **(usual | change))
