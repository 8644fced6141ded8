import os
import subprocess
import sys

import pytest
from omegaconf import OmegaConf

from fasttransfer.core.errors import FastTransferError
from fasttransfer.training import launch
from fasttransfer.training.launch import forget_empty_variables


@pytest.fixture
def sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("TORCHELASTIC_RUN_ID", "SLURM_NTASKS", "SLURM_RESTART_COUNT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(launch, "in_sweep", lambda: True)


def check(devices: object) -> None:
    launch.check_sweep(OmegaConf.create({"trainer": {"devices": devices}}))


def test_torchrun_makes_no_sweeps(sweep: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    with pytest.raises(FastTransferError, match="start the runs one by one"):
        check(1)


@pytest.mark.parametrize("devices", [1, "1", [0], [3]])
def test_a_run_of_a_sweep_may_have_one_device(sweep: None, devices: object) -> None:
    check(devices)


@pytest.mark.parametrize("devices", [2, [0, 1], "auto"])
def test_a_run_of_a_sweep_has_no_more_unless_slurm_starts_its_processes(
    sweep: None, monkeypatch: pytest.MonkeyPatch, devices: object
) -> None:
    with pytest.raises(FastTransferError, match="trains on one device"):
        check(devices)
    monkeypatch.setenv("SLURM_NTASKS", "2")
    check(devices)


def test_a_run_alone_may_have_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "in_sweep", lambda: False)
    check([0, 1])


def test_requeued_is_what_slurm_starts_again(sweep: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not launch.requeued()
    monkeypatch.setenv("SLURM_RESTART_COUNT", "0")
    assert not launch.requeued()
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert launch.requeued()
    monkeypatch.setattr(launch, "in_sweep", lambda: False)
    assert not launch.requeued()


@pytest.mark.parametrize("text", ["", " ", "many"])
def test_empty_variables_are_as_missing_ones(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    monkeypatch.setenv("SLURM_NTASKS", text)
    monkeypatch.setenv("LOCAL_RANK", text)
    assert not launch.launched_outside()
    assert not launch.started_by_lightning()


@pytest.mark.slow
def test_lightning_does_not_see_empty_variables() -> None:
    """It reads them while it is imported, and again when a trainer is made."""
    code = (
        "from fasttransfer.training.launch import forget_empty_variables\n"
        "forget_empty_variables()\n"
        "import pytorch_lightning as pl\n"
        "trainer = pl.Trainer(accelerator='cpu', devices=1, logger=False)\n"
        "assert trainer.world_size == 1"
    )
    names = ("SLURM_NTASKS", "SLURM_PROCID", "LOCAL_RANK", "RANK", "WORLD_SIZE", "NODE_RANK")
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, **dict.fromkeys(names, "")}
    )


def test_other_variables_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_NTASKS", "2")
    monkeypatch.setenv("SLURM_JOB_NAME", " ")
    monkeypatch.setenv("EMPTY", "")
    forget_empty_variables()
    assert os.environ["SLURM_NTASKS"] == "2"
    assert "SLURM_JOB_NAME" not in os.environ
    assert os.environ["EMPTY"] == ""
