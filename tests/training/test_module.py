import copy
from types import SimpleNamespace

import pytest
import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch.optim.swa_utils import AveragedModel

from fasttransfer.core.assets import CONF_DIR
from fasttransfer.core.errors import FastTransferError
from fasttransfer.data.crops import CropBatch
from fasttransfer.losses.temporal import TemporalLoss
from fasttransfer.training.averaging import RunningAverage
from tests.helpers.training import tiny_training


@pytest.fixture(scope="module")
def made():
    torch.manual_seed(0)
    return tiny_training()


@pytest.fixture
def training(made):
    torch.manual_seed(0)
    return copy.deepcopy(made)


def test_a_step_lowers_the_loss(training):
    """Gradients go through the loss network to the weights, and in the right direction."""
    content = torch.rand(2, 3, 16, 16)
    optimizer = training.make_optimizer(training.network.parameters())
    losses = []
    for _ in range(12):
        total = training.objective(training.network(content), content)["total"]
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        losses.append(total.item())
    assert min(losses[6:]) < losses[0]


def test_only_the_network_is_trained(training):
    trained = {name for name, p in training.named_parameters() if p.requires_grad}
    assert trained == {f"network.{name}" for name, _ in training.network.named_parameters()}


def test_averaged_weights_follow_slowly(training):
    training.average()  # the first update copies
    training.averaged.steps += 198
    with torch.no_grad():
        for parameter in training.network.parameters():
            parameter += 1
    before = [p.clone() for p in training.result.parameters()]
    training.average()  # the 200th, and 0.05 of these are 10
    for old, new in zip(before, training.result.parameters(), strict=True):
        assert torch.allclose(new - old, torch.tensor(0.1), atol=1e-5)


@pytest.mark.parametrize("part", [0, 0.05, 0.33])
def test_the_average_is_that_of_the_last_part_at_any_time(part):
    """Over weights that are the number of their step, it lags by that part of the steps."""
    network = torch.nn.Linear(1, 1, bias=False)
    average = RunningAverage(network, part)
    for step in range(1, 2001):
        torch.nn.init.constant_(network.weight, step)
        average.update(network)
        lag = part / (1 + part) * step
        assert average.module.weight.item() == pytest.approx(step - lag, abs=1 + 0.02 * step)


def test_the_average_is_pytorchs_and_so_are_its_names_in_checkpoints():
    network = torch.nn.Linear(3, 2)
    ours = RunningAverage(network, 0.5)
    theirs = AveragedModel(
        network,
        multi_avg_fn=lambda averaged, current, count: torch._foreach_lerp_(
            averaged, current, 1 / max(1.0, 0.5 * (int(count) + 1))
        ),
    )
    for _ in range(6):
        torch.nn.init.normal_(network.weight)
        ours.update(network)
        theirs.update_parameters(network)
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    for key, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[key], value), key
    again = RunningAverage(torch.nn.Linear(3, 2), 0.5)
    again.load_state_dict(theirs.state_dict())
    assert again.steps == 6


def test_a_start_is_the_network_and_its_average(training):
    other = tiny_training().network
    with torch.no_grad():
        for parameter in other.parameters():
            parameter += 1
    training.start_from(other)
    other.renew_scales()
    for ours in (training.network, training.result):
        for mine, theirs in zip(ours.parameters(), other.parameters(), strict=True):
            assert torch.equal(mine, theirs)


@pytest.mark.parametrize("steps", [1, 2, 18, 19, 20, 39, 100])
def test_runs_of_any_length_have_a_schedule(training, steps):
    """After 19 steps, the warm-up of the default would have no length."""
    schedule = instantiate(OmegaConf.load(CONF_DIR / "scheduler" / "cosine.yaml"), max_lr=0.1)
    training.make_scheduler = schedule
    training.trainer = SimpleNamespace(max_steps=steps)
    found = training.configure_optimizers()
    rates = []
    for _ in range(steps):
        rates.append(found["optimizer"].param_groups[0]["lr"])
        found["optimizer"].step()
        found["lr_scheduler"]["scheduler"].step()
    assert max(rates) <= 0.1 + 1e-9
    if steps > 2:
        assert max(rates) > 0.09
        assert rates[-1] < 0.02


def test_strength_is_a_factor_of_what_the_painting_asks_for():
    assert tiny_training().target.strength == 1
    assert tiny_training(strength=2.5).target.strength == 2.5


def test_nan_is_reported_with_step_term_and_remedy(training, tmp_path, monkeypatch):
    """Also if it was so in a step before the one that is looked at."""
    training.trainer = pl.Trainer(accelerator="cpu", logger=False, default_root_dir=tmp_path)
    fine, bad = torch.tensor(1.0), torch.tensor(float("nan"))
    good = {"content": fine, "style": fine, "total": fine}

    def steps(*terms):
        for one in terms:
            monkeypatch.setattr(training, "terms", lambda *_, one=one, **__: one)
            training.training_step(CropBatch(torch.rand(1, 3, 16, 16), (0,)), 0)

    steps(good, good)
    training.stop_unless_finite()
    training.stop_unless_finite()
    for name in ("style", "temporal"):
        steps(good, {"content": fine, name: bad, "total": bad})
        with pytest.raises(FastTransferError, match=rf"step 0 \({name}\).*smaller optimizer\.lr"):
            training.stop_unless_finite()
    steps({"style": bad, "total": bad}, good)
    with pytest.raises(FastTransferError, match=r"step 0 \(in a step before"):
        training.stop_unless_finite()


def test_the_temporal_term_is_part_of_the_total():
    temporal = TemporalLoss(weight=3, bend=1, cell=8, shift=2, zoom=0, noise=2, margin=0.06, seed=0)
    training = tiny_training(temporal=temporal)
    content = torch.rand(2, 3, 32, 32)
    terms = training.terms(content, first_crop=4)
    still = training.objective(training.network(content), content)
    term = temporal(training.network, content, training.network(content), first=4)
    assert term > 0
    assert torch.equal(terms["temporal"], term)
    assert torch.equal(terms["total"], still["total"] + 3 * term)
    assert set(tiny_training().terms(content, first_crop=4)) == set(still)


def test_compiled_weights_keep_their_names():
    names = set(tiny_training().state_dict())
    training = tiny_training()
    training.network.compile(backend="eager")
    assert set(training.state_dict()) == names


def test_the_average_must_be_an_average(training):
    with pytest.raises(FastTransferError, match="averaged_part=1"):
        tiny_training(averaged_part=1.0)
