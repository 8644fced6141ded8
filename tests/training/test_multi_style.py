import copy
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fasttransfer.core.errors import FastTransferError
from fasttransfer.data.style_image import bundled_style_images
from fasttransfer.training.multi_style import BaseTraining, ManyStyles, turned, varied
from tests.helpers.training import tiny_training

FEW = {"held_out": bundled_style_images()[1:], "drawn": 0, "variants": 1, "mixtures": 1}


def many(paintings, **changed) -> ManyStyles:
    return ManyStyles(paintings, **FEW | {"size": 64, "seed": 0} | changed)


@pytest.fixture(scope="module")
def training() -> BaseTraining:
    """Two drawn styles, a variant of each, and a mixture."""
    torch.manual_seed(0)
    one = tiny_training()
    return BaseTraining(
        many(None, held_out=bundled_style_images()[2:]),
        temporal=None,
        network=one.network,
        loss=one.loss,
        style=one.style,
        optimizer=one.make_optimizer,
        scheduler=one.make_scheduler,
        averaged_part=0.05,
        compile=False,
    )


@pytest.mark.slow
def test_styles_are_what_was_asked_for(style_picture):
    folder = style_picture.parent / "alone"
    folder.mkdir(exist_ok=True)
    Image.open(style_picture).save(folder / "harbour.png")
    found = list(many(str(folder)).images())
    assert len(found) == 4  # embroidery and the harbour, with a variant each
    assert max(found[0].shape) == max(found[2].shape) == 64
    assert all(image.min() >= 0 and image.max() <= 1 for image in found)
    again = list(many(str(folder)).images())
    assert all(torch.equal(one, other) for one, other in zip(found, again, strict=True))
    other = list(many(str(folder), seed=1).images())
    assert torch.equal(found[2], other[2])
    assert not torch.equal(found[3], other[3])
    assert len(list(many(str(folder), held_out=["harbour", *FEW["held_out"]]).images())) == 2
    drawn = list(many(None, drawn=1, variants=0).pictures())
    assert len(drawn) == 2  # of embroidery alone: what is held out is not drawn anew either


def test_missing_things_are_reported():
    with pytest.raises(FastTransferError, match="There is no folder 'nowhere'"):
        many("nowhere")
    with pytest.raises(
        FastTransferError, match=r"There is no rain to hold out.* embroidery, facets"
    ):
        many(None, held_out=["rain"])
    with pytest.raises(FastTransferError, match=r"without training\.temporal"):
        BaseTraining(None, temporal=object())


def test_several_devices_are_refused(training):
    training = copy.deepcopy(training)
    training.trainer = SimpleNamespace(world_size=2)
    with pytest.raises(FastTransferError, match="on one device, not 2"):
        training.on_fit_start()


def test_a_mixture_is_half_of_each_of_two(objective):
    targets = many(None, mixtures=1).targets(objective.loss)
    assert len(targets) == 3
    halves = [one.mixed_with(other) for one in targets[:2] for other in targets[:2]]
    found = dict(targets[2].named_buffers())
    assert any(
        all(torch.allclose(value, found[name]) for name, value in half.named_buffers())
        for half in halves
    )


def test_every_style_has_its_turn_before_one_comes_again(training):
    number = len(training.targets)
    epochs = [
        [training.turn(number * epoch + place) for place in range(number)] for epoch in (0, 1)
    ]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(number))


def test_a_step_moves_the_kernels_and_what_is_the_style_s_own(training):
    training = copy.deepcopy(training)
    content = torch.rand(1, 3, 16, 16)
    optimizer = training.make_optimizer(training.trainable)
    before = {name: value.detach().clone() for name, value in training.named_parameters()}
    training.terms(content, first_crop=0)["total"].backward()
    optimizer.step()
    training.average()
    moved = {
        name for name, value in training.named_parameters() if not torch.equal(value, before[name])
    }
    norms = len(training.names)
    turn = training.turn(0)
    own = {f"own.{place}" for place in range(turn * norms, (turn + 1) * norms)}
    kernels = {f"network.{n}" for n, value in training.network.named_parameters() if value.ndim > 1}
    assert {name for name in moved if name.startswith("own.")} == own
    assert kernels <= moved
    for place, name in enumerate(training.names):
        values = [value for n, value in enumerate(training.own) if n % norms == place]
        mean = training.network.get_parameter(name)
        assert torch.allclose(mean, torch.stack(values).mean(dim=0))


def test_the_terms_are_those_of_the_style_whose_turn_it_is(training):
    content = torch.rand(1, 3, 16, 16)
    found = training.terms(content, first_crop=3)
    target = training.targets[training.turn(3)]
    stylized = training.network(content)  # all still have the same weights
    expected = training.loss(stylized, content, target, 3)
    assert found["total"].item() == pytest.approx(expected["total"].item(), rel=1e-5)


def test_styles_start_with_the_weights_that_are_given(training):
    training = copy.deepcopy(training)
    other = copy.deepcopy(training.network)
    with torch.no_grad():
        for value in other.parameters():
            value += 1
    training.start_from(other)
    for number, value in enumerate(training.own):
        name = training.names[number % len(training.names)]
        assert torch.equal(value, other.get_parameter(name))


def test_a_third_of_a_turn_makes_red_green():
    image = torch.rand(1, 3, 4, 5)
    assert torch.allclose(turned(image, 0), image, atol=1e-6)
    assert torch.allclose(turned(image, 2 * math.pi / 3), image[:, [2, 0, 1]], atol=1e-6)
    gray = torch.full((1, 3, 2, 2), 0.3)
    assert torch.allclose(turned(gray, 1.0), gray, atol=1e-6)


@given(st.integers(64, 300), st.integers(64, 300), st.integers(0, 1000))
def test_variants_of_any_picture_are_pictures(width, height, seed):
    picture = Image.fromarray(
        np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    )
    image = varied(picture, 128, np.random.default_rng(seed))
    assert image.shape[:2] == (1, 3)
    assert 0.6 * 0.7 * 128 - 2 <= max(image.shape[2:]) <= 1.4 * 128 + 2
    assert 0 <= image.min() <= image.max() <= 1
