import math
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchvision.models import alexnet, inception_v3

from fasttransfer.core.errors import FastTransferError
from fasttransfer.evaluation.field_metrics import ArtFID, FieldMetrics, MetricSettings, load_lpips

CPU = torch.device("cpu")


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(3, *shape, generator=torch.Generator().manual_seed(seed))


def test_ssim_of_flat_pictures_is_that_of_their_means():
    """Without variance, Wang et al.'s index is (2ab + c) / (a² + b² + c) with c = 0.01²."""
    found = FieldMetrics(MetricSettings(None), CPU)(
        torch.full((3, 20, 24), 0.5), torch.full((3, 20, 24), 0.25)
    )
    expected = (2 * 0.5 * 0.25 + 1e-4) / (0.5**2 + 0.25**2 + 1e-4)
    assert found == {"ssim": pytest.approx(expected, rel=1e-3)}


def test_what_is_too_small_has_no_score():
    assert FieldMetrics(MetricSettings(None), CPU)(noise(0, 10, 30), noise(1, 10, 30)) == {}


def test_without_the_weights_of_alexnet_there_is_no_lpips(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert FieldMetrics(MetricSettings("auto"), CPU).names == {"ssim"}


@pytest.mark.parametrize("value", ["missing.pth", "."])
def test_weights_that_are_not_there(value):
    with pytest.raises(FastTransferError, match="is not a file"):
        MetricSettings(value)


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    pytest.importorskip("lpips")
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("hub") / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    path = folder / "alexnet-owt-7be5be79.pth"  # as torchvision's cache has it
    torch.save(alexnet(weights=None).state_dict(), path)
    return path


@pytest.mark.slow
def test_the_weights_are_those_of_the_file(weights):
    known = alexnet(weights=None).eval()
    known.load_state_dict(torch.load(weights, weights_only=True))
    picture = noise(0, 80, 96)[None]
    activations = load_lpips(weights).net(picture)
    for found, layers in zip(activations, (2, 5, 8, 10, 12), strict=True):
        assert torch.equal(found, known.features[:layers](picture))


@pytest.mark.slow
def test_equal_pictures_have_none_and_a_change_counts(weights, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(weights.parents[2]))
    metrics = FieldMetrics(MetricSettings("auto"), CPU)
    photo = noise(0, 70, 80)
    assert metrics(photo, photo) == {"ssim": pytest.approx(1), "lpips": 0}
    near, far = (metrics(photo.lerp(noise(1, 70, 80), by), photo)["lpips"] for by in (0.1, 0.9))
    assert 0 < near < far


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"", b"words", b"PK\x03\x04"])
def test_what_is_damaged_is_one_sentence(content, tmp_path, weights):
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(FastTransferError, match="cannot be read"):
        load_lpips(tmp_path / "a.pth")


@pytest.mark.slow
def test_other_weights_are_one_sentence(tmp_path, weights):
    torch.save({"features.0.weight": torch.zeros(2, 2)}, tmp_path / "a.pth")
    with pytest.raises(FastTransferError, match="does not hold the weights of AlexNet"):
        load_lpips(tmp_path / "a.pth")


@pytest.mark.slow
def test_artfid_is_that_of_the_features(tmp_path):
    """With features that differ by a constant, the Fréchet distance is its square."""
    torch.manual_seed(0)
    network = inception_v3(weights=None, init_weights=False)
    torch.save(network.state_dict(), tmp_path / "art.pth")
    measure = ArtFID(tmp_path / "art.pth", CPU)
    pictures = [noise(seed, 80, 96) for seed in range(3)]
    assert measure(pictures, pictures, lpips=0.5) == pytest.approx(1.5, abs=1e-3)
    network.fc, network.AuxLogits = torch.nn.Identity(), None
    with torch.no_grad():
        own, others = (
            torch.cat([network.eval()(one[None]) for one in images]).double()
            for images in (pictures, [picture * 0.5 for picture in pictures])
        )
    # tr (AB)^½ is the sum of the singular values of the product of the centered features.
    (a, b), (n, m) = ((x - x.mean(0) for x in (own, others)), (len(own) - 1, len(others) - 1))
    shared = torch.linalg.svdvals(a @ b.mT).sum() / math.sqrt(n * m)
    distance = (own.mean(0) - others.mean(0)).square().sum() + a.square().sum() / n
    distance += b.square().sum() / m - 2 * shared
    found = measure(pictures, [picture * 0.5 for picture in pictures], lpips=0)
    assert found == pytest.approx(1 + distance.item(), rel=1e-3)


@pytest.mark.slow
def test_artfid_wants_two_of_each(tmp_path):
    torch.save(inception_v3(weights=None, init_weights=False).state_dict(), tmp_path / "art.pth")
    measure = ArtFID(tmp_path / "art.pth", CPU)
    with pytest.raises(FastTransferError, match="there are 0 and 1"):
        measure([noise(0, 20, 20)], [noise(0, 80, 80)], lpips=0)
