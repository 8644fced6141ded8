import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from fasttransfer.budget import seconds, steps_within
from fasttransfer.errors import FastTransferError
from fasttransfer.evaluate import make_objective
from fasttransfer.module import StyleTraining
from fasttransfer.network import TransformerNet
from fasttransfer.style import StyleImage
from fasttransfer.temporal import TemporalLoss
from fasttransfer.vgg import VGG16Features


def tiny_training(
    averaged_part: float = 0.05, temporal: TemporalLoss | None = None, strength: float = 1
) -> StyleTraining:
    return StyleTraining(
        TransformerNet([4], 1, 3, 1, False),
        make_objective("balanced", VGG16Features("bundled")),
        StyleImage("mosaic", size=64, name=None, licence=None, strength=strength),
        instantiate(OmegaConf.create({"_target_": "torch.optim.Adam", "_partial_": True})),
        instantiate(OmegaConf.create({"_target_": "torch.optim.lr_scheduler.OneCycleLR",
                                      "_partial_": True, "max_lr": 1e-3})),
        temporal=temporal,
        averaged_part=averaged_part,
        compile=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("budget", "expected"), [("90s", 90), ("6m", 360), ("1.5h", 5400), ("0.5m", 30)]
)
def test_times_as_people_write_them(budget, expected):
    assert seconds(budget) == expected


@pytest.mark.parametrize("budget", ["8", "soon", "-1m", "0s", "1d", ""])
def test_other_times_are_refused(budget):
    with pytest.raises(FastTransferError, match="not a time"):
        seconds(budget)


def test_a_longer_time_is_more_steps_and_nothing_is_trained():
    training = tiny_training()
    before = {key: value.clone() for key, value in training.state_dict().items()}
    batch = torch.rand(1, 3, 16, 16)
    counts = {
        budget: steps_within(budget, training, batch, torch.device("cpu"), bfloat16=False)
        for budget in ("10s", "10h")
    }
    # The same step is measured twice: 3600 times the time, give or take a factor for a busy machine.
    assert 3600 / 20 < counts["10h"] / counts["10s"] < 3600 * 20
    for key, value in training.state_dict().items():
        assert torch.equal(value, before[key]), key
