import copy
from statistics import fmean

import pytest
import torch

from fasttransfer.data.photos import photo_folder, read_probe
from fasttransfer.evaluation.artifacts import checkerboard
from fasttransfer.evaluation.scores import Scorer, score, score_pictures
from fasttransfer.evaluation.style_evaluator import style_image_of
from fasttransfer.images.reading import read_picture
from fasttransfer.losses.objectives import make_objective
from fasttransfer.losses.regularizers import grid_pattern
from fasttransfer.models.style_file import bundled_styles, find_style, load_style
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.models.vgg import VGG16Features
from fasttransfer.models.weight_files import read_target
from tests.helpers.photos import make_photo


@pytest.fixture(scope="module")
def features() -> VGG16Features:
    return VGG16Features("bundled")


@pytest.fixture
def pictures(tmp_path):
    return [
        read_picture(make_photo(tmp_path / f"{n}.png", 48, 40, seed=n), max_pixels=10**6).rgb
        for n in range(3)
    ]


def test_the_photo_itself_and_the_style_itself(pictures, features):
    photo, style, _ = pictures
    untouched = score_pictures([(photo, photo)], style[None], features)
    assert untouched["balanced_content"] == untouched["johnson_content"] == 0
    assert untouched["balanced_style"] > 0.01
    copied = score_pictures([(style, photo)], style[None], features)
    assert copied["balanced_style"] == pytest.approx(0, abs=1e-9)
    assert copied["johnson_style"] == pytest.approx(0, abs=1e-6)
    assert copied["balanced_content"] > 0.1


def test_scores_are_means_over_the_photos(pictures, features):
    photo, other, style = pictures
    pairs = [(other, photo), (photo, other)]
    both = score_pictures(pairs, style[None], features)
    each = [score_pictures([pair], style[None], features) for pair in pairs]
    for key, value in both.items():
        assert value == pytest.approx((each[0][key] + each[1][key]) / 2, rel=1e-5), key
    objective = make_objective("balanced", features).for_style(style[None])
    assert objective(other[None], photo[None])["total"].item() == pytest.approx(
        each[0]["balanced_total"]
    )


def test_content_is_told_without_the_style_image(pictures, features):
    photo, other, style = pictures
    whole = Scorer(style[None], features)(other, photo)
    found = Scorer(None, features)(other, photo)
    for key in ("balanced_content", "johnson_content", "grid"):
        assert found[key] == pytest.approx(whole[key], rel=1e-6)
    assert not [key for key in found if "style" in key or "total" in key]


def test_artifacts_are_measured_in_large_enough_pictures(pictures, features):
    photo, style, _ = pictures
    assert "checkerboard" not in Scorer(style[None], features)(photo, photo)
    large = photo.repeat(1, 2, 2)
    for scorer in (Scorer(style[None], features), Scorer(None, features)):
        found = scorer(large, large)
        assert (found["checkerboard"], found["droplets"], found["border_contrast"]) == (1, 0, 0)


@pytest.mark.slow
def test_artifacts_are_means_over_the_photos_that_have_them(pictures, features):
    small, style, _ = pictures
    large = small.repeat(1, 2, 2)
    for pairs in ([(small, small), (large, large)], [(large, large), (small, small)]):
        found = score_pictures(pairs, style[None], features)
        assert (found["checkerboard"], found["droplets"]) == (1, 0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_network_on_a_gpu_is_scored_over_photos_on_the_cpu(pictures, features):
    gpu = copy.deepcopy(features).cuda()
    network = TransformerNet([4], 1, 3, 1, False)
    photo = pictures[0].repeat(1, 2, 2) / 100 + 0.5  # flat, so that there is something to look for
    expected = score(network, [photo], pictures[1][None], features)
    found = score(network.cuda(), [photo], pictures[1][None], gpu)
    assert found == pytest.approx(expected, rel=0.05, abs=0.01)


def test_a_network_is_scored_by_what_a_file_would_show(pictures, features):
    network = TransformerNet([4], 1, 3, 1, False)
    with torch.no_grad():
        network.head[0].bias.fill_(7.0)  # far out of range: white, once clamped
        network.head[0].weight.zero_()
    white = score_pictures([(torch.ones(3, 40, 48), pictures[0])], pictures[1][None], features)
    assert score(network, [pictures[0]], pictures[1][None], features) == pytest.approx(white)


@pytest.mark.slow
@pytest.mark.parametrize("name", bundled_styles())
def test_bundled_styles_leave_no_grid(name):
    """The head is watched where it shows: in what a trained network makes of photos."""
    network = load_style(find_style(name)).network
    peaks = []
    for photo in read_probe(photo_folder("bundled-probe"), 384, 8, 10**6).values():
        with torch.no_grad():
            stylized = network(photo[None]).clamp(0, 1)
        # In levels; strokes that differ by 30 leave 2 by chance, a grid that is seen had 6 to 10.
        assert 255 * grid_pattern(stylized, 4, 60).sqrt() < 3
        peaks.append(checkerboard(stylized[0], photo))
    assert fmean(peaks) < 4  # a weave that is seen in flat areas when enlarged had 8


@pytest.mark.parametrize("name", bundled_styles())
def test_bundled_styles_are_not_finer_than_their_paintings(name):
    """Which are not all here, so what was measured when they were trained is what is looked at."""
    assert load_style(find_style(name)).metadata["scores"]["balanced_fine"] < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("name", bundled_styles())
def test_bundled_styles_can_be_scored(name, features):
    """By a style image of the package, or by what the style file holds of its painting."""
    path = find_style(name)
    style = load_style(path)
    if style_image_of(path, style) is None:
        target = read_target(path)
        assert sum(value.nbytes for value in target.values()) < 300_000
        assert Scorer(target, features).objectives.keys() == {"balanced", "johnson"}
