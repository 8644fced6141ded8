import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fasttransfer.cli.infer import main
from fasttransfer.core.errors import FastTransferError
from fasttransfer.evaluation.slow_method import (
    METHODS,
    STARTS,
    PixelOptimizer,
    first_picture,
    optimize,
    sizes,
)
from fasttransfer.losses.perceptual import StyleObjective


@pytest.fixture
def photo():
    return torch.rand(1, 3, 32, 40, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("start", STARTS)
def test_every_method_from_every_start_lowers_the_objective(objective, photo, method, start):
    begin = first_picture(start, photo)
    steps = []
    for picture, total in optimize(
        begin, photo, objective, method, iterations=15, history=20, lr=0.02
    ):
        assert 0 <= picture.min() <= picture.max() <= 1
        steps.append((picture, total))
    assert len(steps) == 15
    first, last = steps[0][1], objective(steps[-1][0], photo)["total"].item()
    assert first == pytest.approx(objective(begin, photo)["total"].item(), rel=1e-4)
    assert last < 0.7 * first
    assert torch.equal(begin, first_picture(start, photo)), "the start is left as it is"


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_the_unit_of_the_loss_makes_no_difference_to_lbfgs(objective, photo, unit):
    loss = objective.loss
    scaled = loss.weighted(**{name: unit * weight for name, weight in loss.weights.items()})

    def last(asked: StyleObjective) -> float:
        begin = first_picture("noise", photo)
        *_, (_, total) = optimize(begin, photo, asked, "lbfgs", iterations=15, history=20, lr=1)
        return total

    expected = last(objective)
    assert last(StyleObjective(scaled, objective.target)) / unit == pytest.approx(expected, rel=0.1)


def test_a_picture_without_a_reason_to_change_stays(objective, photo):
    """With the content term alone the photo itself is the best picture."""
    weights = dict.fromkeys(objective.loss.weights, 0.0) | {"content": 1.0}
    alone = StyleObjective(objective.loss.weighted(**weights), objective.target)
    *_, (picture, total) = optimize(photo, photo, alone, "lbfgs", 5, history=5, lr=0)
    assert total == 0
    assert torch.equal(picture, photo)


@pytest.mark.parametrize(
    ("longer_side", "expected"),
    [(100, [100]), (256, [256]), (511, [511]), (512, [256, 512]), (1025, [256, 512, 1025])],
)
def test_sizes_double_up_to_the_pictures_own(longer_side, expected):
    assert sizes(longer_side, 90, coarsest=256) == sizes(90, longer_side, 256) == expected


@given(st.integers(8, 3000), st.integers(8, 3000), st.integers(1, 600))
def test_no_size_is_too_small_for_the_loss_network(height, width, coarsest):
    for size in sizes(height, width, coarsest):
        assert round(size * min(height, width) / max(height, width)) >= 8


def test_a_picture_that_is_too_thin_is_told():
    with pytest.raises(FastTransferError, match="300×3 pixels is too small"):
        sizes(3, 300, 32)


def test_noise_is_the_same_every_time_and_around_grey(photo):
    noise = first_picture("noise", photo)
    assert torch.equal(noise, first_picture("noise", 1 - photo))
    assert noise.mean() == pytest.approx(0.5, abs=0.02)


def test_coarse_to_fine_keeps_odd_sizes_and_is_an_engine(objective, tmp_path):
    engine = PixelOptimizer(
        objective, "lbfgs", 2, 5, 0.02, "photo", 32, tmp_path / "steps", every=2
    )
    photos = torch.rand(2, 3, 37, 65)
    with torch.inference_mode():  # as Stylizer calls it
        stylized = engine(photos)
    assert stylized.shape == photos.shape
    assert 0 <= stylized.min() <= stylized.max() <= 1
    kept = sorted(path.name for path in (tmp_path / "steps").iterdir())
    assert kept == [f"000{n}-000{size}px-00002.png" for n in (1, 2) for size in (32, 65)]
    frames = engine.frames((photos[:1, :, :33, :31] * 255).byte().permute(0, 2, 3, 1).numpy())
    assert frames.shape == (1, 33, 31, 3)


def run(monkeypatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["infer.py", *arguments])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_a_painting_instead_of_a_trained_style(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.effect_noise((70, 50), 80).convert("RGB").save("my (1) painting.png")
    Image.effect_noise((33, 47), 80).convert("RGB").save("photo.png")
    common = ("stylizer=optimize", "input=photo.png", "stylizer.iterations=2", "style.size=96")
    assert run(monkeypatch, *common, "style.path=my (1) painting.png", "output=out.png") == 0
    assert Image.open("out.png").size == (33, 47)
    Image.new("RGB", (90, 3)).save("line.png")  # does not keep the other from being done
    thin = ("input=[line.png,photo.png]", "output=several", "style.path=mosaic")
    assert run(monkeypatch, *common[:1], *common[2:], *thin) == 1
    assert [path.name for path in (tmp_path / "several").iterdir()] == ["photo.png"]
    weights = ("stylizer.style_weight=0", "stylizer.method=adam", "stylizer.loss=johnson")
    assert run(monkeypatch, *common, *weights, "style.path=[mosaic,oil]") == 0
    assert {"photo-mosaic.png", "photo-oil.png"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["style=painting.jpg"], "write style.path=painting.jpg"),
        (["style.path=none.jpg"], "There is no style image 'none.jpg'"),
        (["style.path=mosaic", "compare=true"], "pictures and videos only"),
        (["style.path=mosaic", "stylizer.method=sgd"], "lbfgs or adam"),
        (["style.path=mosaic", "stylizer.iterations=0"], "from 1 on"),
        (["style.path=mosaic", "strength=2"], "from 0 to 1"),
        (
            ["style.path=mosaic", "stylizer.style_weight=-5"],
            "style_weight=-5 must be a number from",
        ),
        (["style.path=mosaic", "stylizer.tv_weight=abc"], "tv_weight=abc must be a number from"),
        (["style.path=mosaic", "stylizer.lr=-1"], "stylizer.lr=-1 must be a number above 0"),
        (["style.path=mosaic", "stylizer.lr=null"], "stylizer.lr=None must be a number above 0"),
        (["style.path=mosaic", "stylizer.lr=nan"], "stylizer.lr=nan must be a number above 0"),
        (["style.path=mosaic", "stroke_size=64"], "stroke_size= is for networks"),
        (["style.path=mosaic", "engine=onnxruntime"], "engine= is for networks"),
        (["style.path=mosaic", "tiles=exact"], "tiles= is for networks"),
    ],
)
def test_mistakes_are_one_sentence(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8)).save("photo.png")
    assert run(monkeypatch, "stylizer=optimize", "input=photo.png", *arguments) == 2
    told = capsys.readouterr().err.strip()
    assert message in told
    assert "\n" not in told
