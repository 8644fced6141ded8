import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fasttransfer.core.errors import FastTransferError
from fasttransfer.losses.gram import gram_matrix
from fasttransfer.losses.objectives import make_objective
from fasttransfer.losses.perceptual import PerceptualLoss
from fasttransfer.losses.stored_target import pack, restored_target
from fasttransfer.losses.style_target import StyleTarget
from fasttransfer.models.vgg import VGG16Features


@pytest.fixture(scope="module")
def features() -> VGG16Features:
    return VGG16Features("bundled")


@pytest.fixture(scope="module")
def loss(features) -> PerceptualLoss:
    return make_objective("balanced", features)


@pytest.fixture(scope="module")
def tiny(loss) -> dict[str, torch.Tensor]:
    return pack(loss.target(picture(16)))


def picture(side: int) -> torch.Tensor:
    """Soft stripes with noise: neither flat nor noise alone."""
    generator = torch.Generator().manual_seed(side)
    waves = torch.sin(torch.arange(side) / 3)[None, None, :, None].expand(1, 3, side, side)
    return (0.5 + 0.3 * waves + 0.1 * torch.randn(1, 3, side, side, generator=generator)).clamp(
        0, 1
    )


@settings(max_examples=20)
@given(st.integers(2, 40) | st.just(256), st.integers(0, 10**6))
def test_a_gram_matrix_takes_a_part_of_its_bytes(channels, seed):
    torch.manual_seed(seed)
    gram = gram_matrix(100 * torch.randn(1, channels, 5, 60).relu())
    target = StyleTarget({"style": {"full": gram}}, [])
    packed = pack(target)
    assert sum(value.nbytes for value in packed.values()) <= 4 * channels + channels**2 / 2
    assert {value.device.type for value in packed.values()} == {"cpu"}
    assert {*packed} == {"style.full.rows", "style.full.upper"}


@pytest.mark.parametrize("side", [96, 24])
def test_a_restored_target_scores_as_the_style_image_does(loss, features, side):
    """Small pictures have no quarter size."""
    style, stylized, photo = picture(side), picture(64).mT, picture(70)[..., 6:, :64]
    packed = pack(loss.target(style))
    for name in ("balanced", "johnson"):  # which compares with a part of what the other does
        objective = make_objective(name, features)
        exact, stored = objective.target(style), restored_target(objective, packed)
        assert stored.levels == exact.levels
        terms = [objective(stylized, photo, target) for target in (exact, stored)]
        for term, value in terms[0].items():
            assert terms[1][term].item() == pytest.approx(value.item(), rel=0.03), term
    assert sum(value.nbytes for value in packed.values()) < 300_000


def test_what_has_few_values_is_kept_exactly(loss):
    target = loss.target(picture(96))
    stored = restored_target(loss, pack(target))
    for term in ("palette", "fine"):
        for name, value in target.of(term).items():
            assert torch.equal(stored.of(term)[name], value)


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: packed.clear(),
        lambda packed: packed.pop("fine.fine"),
        lambda packed: packed.pop("style.full_relu4_3.upper"),
        lambda packed: packed.update({"fine.fine": torch.zeros(3)}),
        lambda packed: packed.update({"fine.fine": torch.full((2,), torch.nan)}),
        lambda packed: packed.update({"fine.fine": torch.zeros(2, dtype=torch.int64)}),
        lambda packed: packed.update({"style.full_relu1_2.rows": torch.zeros(2, 10**6).half()}),
        lambda packed: packed.update({"style.full_relu1_2.rows": torch.zeros(2, 0).half()}),
        lambda packed: packed.update({"style.full_relu1_2.rows": torch.tensor(1.0)}),
        lambda packed: packed.update({"style.full_relu1_2.upper": torch.zeros(2016)}),
        lambda packed: packed["style.full_relu1_2.rows"].fill_(torch.inf),
    ],
)
def test_what_does_not_fit_is_refused(loss, tiny, damage):
    packed = {name: value.clone() for name, value in tiny.items()}
    damage(packed)
    with pytest.raises(FastTransferError, match="does not hold what scores compare with"):
        restored_target(loss, packed)
