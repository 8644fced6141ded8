import pytest
import torch

from fasttransfer.core.errors import FastTransferError
from fasttransfer.evaluation.scores import Scorer, packed_target
from fasttransfer.evaluation.style_evaluator import scorer_of, style_image_of
from fasttransfer.images.reading import read_picture
from fasttransfer.models.style_file import load_style, save_style
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.models.vgg import VGG16Features
from tests.helpers.photos import make_photo


def test_the_style_image_is_that_of_a_run_folder_or_the_bundled_one(tmp_path):
    network = TransformerNet([4], 1, 3, 1, False)
    run, elsewhere = tmp_path / "run" / "style.safetensors", tmp_path / "models" / "a.safetensors"
    for path in (run, elsewhere):
        save_style(path, network, {"name": "a", "training": None})
    for folder in (run.parent, elsewhere.parent, tmp_path):  # beside a model it may be anything
        make_photo(folder / "style.png", 48, 32)
    assert style_image_of(run, load_style(run)).shape == (1, 3, 32, 48)
    assert style_image_of(elsewhere, load_style(elsewhere)) is None
    checkpoint = run.parent / "checkpoints" / "last.ckpt"
    assert torch.equal(
        style_image_of(checkpoint, load_style(run)), style_image_of(run, load_style(run))
    )
    save_style(elsewhere, network, {"training": {"style": {"path": "mosaic", "size": 64}}})
    assert max(style_image_of(elsewhere, load_style(elsewhere)).shape) == 64
    save_style(elsewhere, network, {"training": {"style": {"path": "watercolour", "size": 64}}})
    assert (
        max(style_image_of(elsewhere, load_style(elsewhere)).shape) == 64
    )  # watercolor's old name
    save_style(elsewhere, network, {"training": {"style": {"path": "mosaic", "size": 80_000}}})
    with pytest.raises(FastTransferError, match="80000 pixels"):
        style_image_of(elsewhere, load_style(elsewhere))
    save_style(elsewhere, network, {"training": {"style": "mosaic"}})
    assert style_image_of(elsewhere, load_style(elsewhere)) is None


@pytest.mark.slow
def test_a_style_file_is_scored_without_its_style_image(tmp_path):
    features, network = VGG16Features("bundled"), TransformerNet([4], 1, 3, 1, False)
    path = tmp_path / "a.safetensors"
    image = read_picture(make_photo(tmp_path / "painting.png", 96, 80), max_pixels=10**6).rgb[None]
    other = str(make_photo(tmp_path / "other.png", 70, 90, seed=3))
    picture, photo = torch.rand(2, 3, 40, 48)
    save_style(path, network, {"name": "a"})
    assert not scorer_of(load_style(path), None, None, features).objectives
    named = scorer_of(load_style(path), None, other, features)(picture, photo)
    save_style(path, network, {"name": "a"}, target=packed_target(image, features))
    found = scorer_of(load_style(path), None, other, features)(picture, photo)
    expected = Scorer(image, features)(picture, photo)
    assert found == pytest.approx(expected, rel=0.01)
    assert named["balanced_total"] != pytest.approx(expected["balanced_total"], rel=0.01)
    save_style(path, network, {"name": "a"}, target={"fine.fine": torch.zeros(2)})
    with pytest.raises(
        FastTransferError, match=r"a\.safetensors' cannot be scored: it does not hold"
    ):
        scorer_of(load_style(path), None, None, features)
