"""A painting instead of a trained style."""

import sys

import pytest
import torch
from PIL import Image

from fasttransfer.cli.infer import main
from fasttransfer.evaluation.slow_stylizer import PixelOptimizer
from tests.helpers.slow import pixel_settings


@pytest.mark.slow
def test_coarse_to_fine_keeps_odd_sizes_and_is_an_engine(objective, tmp_path):
    settings = pixel_settings(
        "lbfgs", 2, coarsest=32, intermediate=str(tmp_path / "steps"), every=2
    )
    engine = PixelOptimizer(objective, settings)
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


@pytest.mark.slow
def test_a_painting_instead_of_a_trained_style(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.effect_noise((70, 50), 80).convert("RGB").save("my (1) painting.png")
    Image.effect_noise((33, 47), 80).convert("RGB").save("photo.png")
    common = ("stylizer=optimize", "input=photo.png", "slow.iterations=2", "style.size=96")
    assert run(monkeypatch, *common, "style.path=my (1) painting.png", "output=out.png") == 0
    assert Image.open("out.png").size == (33, 47)
    Image.new("RGB", (90, 3)).save("line.png")  # does not keep the other from being done
    thin = ("input=[line.png,photo.png]", "output=several", "style.path=mosaic")
    assert run(monkeypatch, *common[:1], *common[2:], *thin) == 1
    assert [path.name for path in (tmp_path / "several").iterdir()] == ["photo.png"]
    weights = ("slow.style_weight=0", "slow.method=adam", "slow.loss=johnson")
    assert run(monkeypatch, *common, *weights, "style.path=[mosaic,oil]") == 0
    assert {"photo-mosaic.png", "photo-oil.png"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["style=painting.jpg"], "write style.path=painting.jpg"),
        (["style.path=none.jpg"], "There is no style image 'none.jpg'"),
        (["style.path=mosaic", "compare=true"], "pictures and videos only"),
        (["style.path=mosaic", "slow.method=sgd"], "lbfgs or adam"),
        (["style.path=mosaic", "slow.iterations=0"], "from 1 on"),
        (["style.path=mosaic", "strength=2"], "from 0 to 1"),
        (
            ["style.path=mosaic", "slow.style_weight=-5"],
            "style_weight=-5 must be a number from",
        ),
        (["style.path=mosaic", "slow.tv_weight=abc"], "tv_weight=abc must be a number from"),
        (["style.path=mosaic", "slow.lr=-1"], "slow.lr=-1 must be a number above 0"),
        (["style.path=mosaic", "slow.lr=null"], "slow.lr=None must be a number above 0"),
        (["style.path=mosaic", "slow.lr=nan"], "slow.lr=nan must be a number above 0"),
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
