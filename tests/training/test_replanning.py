"""A run fills its time, with a schedule that goes on where it was, and can be resumed."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorch_lightning.callbacks import Callback
from torch.utils.data import DataLoader

from fasttransfer.data.crops import batch_of
from fasttransfer.training.module import StyleTraining
from fasttransfer.training.replanning import Replanning, rest_of
from fasttransfer.training.run_folder import PLANNED_STEPS
from fasttransfer.training.schedules import stretched
from tests.helpers.training import tiny_training


class Crops(pl.LightningDataModule):
    """Goes on behind the steps that were taken."""

    def train_dataloader(self) -> DataLoader[Any]:
        assert self.trainer is not None
        made = torch.rand(200, 3, 16, 16, generator=torch.Generator().manual_seed(0))
        crops = [*zip(made, range(200), strict=True)][self.trainer.global_step :]
        return DataLoader(crops, batch_size=1, collate_fn=batch_of)  # type: ignore[arg-type]


class Rates(Callback):
    """The learning rate of each step; keeps a checkpoint after one of them."""

    def __init__(self, keep: Path | None = None, after: int = 0) -> None:
        self.rates: list[float] = []
        self.keep, self.after = keep, after

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])
        if self.keep is not None and trainer.global_step == self.after:
            trainer.save_checkpoint(self.keep)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which goes on by a second in each step."""
    now = [0.0]
    monkeypatch.setattr(StyleTraining, "seconds", property(lambda _: now[0]))
    step = StyleTraining.training_step

    def second(self: StyleTraining, *batch: Any) -> Any:
        now[0] += 1
        return step(self, *batch)

    monkeypatch.setattr(StyleTraining, "training_step", second)
    return now


def trained(
    steps: int, *callbacks: Callback, folder: Path, checkpoint: Path | None = None
) -> tuple[StyleTraining, pl.Trainer]:
    torch.manual_seed(0)
    training = tiny_training()
    trainer = pl.Trainer(
        accelerator="cpu",
        max_steps=steps,
        callbacks=[*callbacks],
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        logger=False,
        default_root_dir=folder,
    )
    trainer.fit(training, Crops(), ckpt_path=checkpoint, weights_only=True)
    return training, trainer


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seconds", "most_steps", "expected"),
    [(100, None, 100), (30, None, 30), (61, None, 60), (100, 80, 80), (2, None, 7)],
)
def test_the_rest_of_a_run_takes_the_rest_of_the_time(
    clock: list[float], tmp_path: Path, seconds: float, most_steps: int | None, expected: int
) -> None:
    """60 steps were planned, and each takes a second."""
    rates = Rates()
    replanning = Replanning(seconds, most_steps, clock=lambda: clock[0])
    _, trainer = trained(60, rates, replanning, folder=tmp_path)
    assert trainer.global_step == trainer.max_steps == expected
    assert len(rates.rates) == expected
    if expected > 20:  # neither a jump nor an early end
        assert max(abs(one - other) for one, other in pairwise(rates.rates)) < 9e-3 / min(
            60, expected
        )
        assert rates.rates[-1] < 0.02 * max(rates.rates)


@pytest.mark.slow
def test_a_run_that_was_planned_anew_resumes_bit_for_bit(
    clock: list[float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept.ckpt"
    whole, rates = Replanning(90, None, clock=lambda: clock[0]), Rates(kept, after=31)
    expected, _ = trained(60, whole, rates, folder=tmp_path)
    assert "90 steps instead of 60" in capsys.readouterr().err
    planned = torch.load(kept, weights_only=True)[PLANNED_STEPS]
    assert planned == 90
    clock[0] = 10_000  # another look would end the run
    resumed, later = Replanning(90, None, clock=lambda: clock[0]), Rates()
    found, trainer = trained(planned, resumed, later, folder=tmp_path, checkpoint=kept)
    assert trainer.global_step == 90
    assert later.rates == rates.rates[31:]
    for key, value in expected.state_dict().items():
        assert torch.equal(found.state_dict()[key], value), key


@given(st.integers(1, 5000), st.integers(1, 50_000), st.integers(1, 50_000))
def test_a_stretched_schedule_is_at_the_same_place_and_ends_in_time(
    step: int, more: int, left: int
) -> None:
    planned, steps = step + more, step + left
    length, place = stretched(step, planned, steps)
    assert length - place == left
    assert place >= 1
    assert place / length == pytest.approx(step / planned, abs=1 / length)


@pytest.mark.parametrize(
    ("left", "pace", "planned", "expected"),
    [(100, 1, 50, 100), (100, 1, 99, 99), (100, 2, 100, 50), (-5, 1, 10, 1)],
)
def test_what_is_left_of_the_time(left: float, pace: float, planned: int, expected: int) -> None:
    assert rest_of(left, pace, planned) == expected
