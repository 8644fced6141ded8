import functools
import os
import random

import hydra
import pytest
import torch
from filelock import FileLock
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

import fasttransfer.training.build  # noqa: F401 (registers the resolver that the settings use)
from fasttransfer.core.assets import CONF_DIR
from fasttransfer.core.errors import FastTransferError
from fasttransfer.data.datamodule import BatchSettings, TrainingPhotos
from fasttransfer.models.style_file import save_style
from fasttransfer.models.torch_pickle import CodeError
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.training import launch, run
from fasttransfer.training.checkpointing import WholeCheckpoints
from fasttransfer.training.records import style_file_settings
from fasttransfer.training.run import CHANGEABLE, Run
from fasttransfer.training.run_folder import LOCK_FILE, lock_folder


def composed(*overrides: str) -> DictConfig:
    with hydra.initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        config = hydra.compose("train", list(overrides), return_hydra_config=True)
    HydraConfig.instance().set_config(config)
    OmegaConf.set_struct(config, False)
    config.pop("hydra")
    return config


def test_a_new_run_gets_a_folder_of_its_own_that_is_not_made_yet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = Run.open(composed("style=woodcut"))
    assert run.config.run_dir.startswith("runs/woodcut-")
    assert run.checkpoint is None
    assert run.first_step is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["seed=-1"], "seed=-1 must be a whole number from 0"),
        (["seed=1.5"], "seed=1.5"),
        (["seed=null"], "seed=None"),
        (["run_dir=file"], "'.*file' is a file; give another run_dir"),
        (["run_dir=file/run"], "'.*file' is a file; give another run_dir"),
    ],
)
def test_what_no_run_can_have(settings, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(FastTransferError, match=message):
        Run.open(composed(*settings))


def test_a_number_may_be_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Run.open(composed("style.name=1889")).config.run_dir.startswith("runs/1889-")


def test_a_run_folder_is_not_used_twice(tmp_path):
    (tmp_path / "config.yaml").touch()
    with pytest.raises(FastTransferError, match="holds a run already"):
        Run.open(composed(f"run_dir={tmp_path}"))


def test_slurm_goes_on_with_a_run_of_a_sweep_that_it_starts_again(tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "in_sweep", lambda: True)
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    resumable(tmp_path)
    again = Run.open(composed(f"run_dir={tmp_path}", "optimizer.lr=1"))
    assert again.is_recorded
    assert again.config.optimizer.lr == 4e-3  # as it was written down
    monkeypatch.setenv("SLURM_RESTART_COUNT", "0")
    with pytest.raises(FastTransferError, match="holds a run already"):
        Run.open(composed(f"run_dir={tmp_path}"))


@pytest.mark.parametrize("variable", ["TORCHELASTIC_RUN_ID", "SLURM_NTASKS"])
def test_processes_from_outside_must_be_given_what_they_cannot_agree_on(variable, monkeypatch):
    if variable == "SLURM_NTASKS":
        monkeypatch.setenv(variable, "1")
        assert Run.open(composed("run_dir=runs/x")).config.run_dir == "runs/x"  # one is no crowd
    monkeypatch.setenv(variable, "2")
    with pytest.raises(FastTransferError, match="give run_dir="):
        Run.open(composed("budget=null"))
    with pytest.raises(FastTransferError, match=r"give budget=null and trainer\.max_steps"):
        Run.open(composed("run_dir=runs/x"))
    assert Run.open(composed("run_dir=runs/x", "budget=null")).config.run_dir == "runs/x"


@functools.cache
def stored_settings() -> str:
    return OmegaConf.to_yaml(composed("run_dir=RUN_DIR"))


def resumable(tmp_path, *overrides: str) -> DictConfig:
    text = stored_settings().replace("RUN_DIR", str(tmp_path))
    (tmp_path / "config.yaml").write_text(text)
    return composed(f"resume={tmp_path}", *overrides)


def test_a_run_killed_before_its_first_checkpoint_begins_again(tmp_path):
    run = Run.open(resumable(tmp_path))
    assert run.is_recorded  # with the steps that were counted
    assert run.checkpoint is None


def test_a_damaged_checkpoint_is_reported(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "last.ckpt").write_bytes(b"half of a")
    with pytest.raises(FastTransferError, match="is damaged"):
        Run.open(resumable(tmp_path))
    save_checkpoint(tmp_path / "checkpoints" / "previous.ckpt", 12)
    run = Run.open(resumable(tmp_path))
    assert run.first_step == 12
    assert "last.ckpt' is damaged" in run.checkpoint.damage


@pytest.mark.parametrize("key", ["random_states", "state_dict", "optimizer_states", "global_step"])
def test_a_checkpoint_without_all_that_resuming_needs_is_damaged(tmp_path, key):
    last = tmp_path / "checkpoints" / "last.ckpt"
    last.parent.mkdir()
    save_checkpoint(last, 12)
    checkpoint = torch.load(last, weights_only=True)
    del checkpoint[key]
    torch.save(checkpoint, last)
    with pytest.raises(FastTransferError, match=rf"last\.ckpt' is damaged \(KeyError: '{key}'\)"):
        Run.open(resumable(tmp_path))


def test_a_checkpoint_runs_no_code(tmp_path):
    class Attack:
        def __reduce__(self):
            return (os.system, (f"touch {tmp_path / 'hacked'}",))

    last = tmp_path / "checkpoints" / "last.ckpt"
    last.parent.mkdir()
    torch.save({"global_step": 3, "x": Attack()}, last)
    with pytest.raises(FastTransferError, match=r"last\.ckpt' is damaged \(CodeError"):
        Run.open(resumable(tmp_path))
    with pytest.raises(CodeError):
        WholeCheckpoints().load_checkpoint(last, weights_only=False)
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize("setting", ["run_dir", "logger.save_dir"])
def test_a_place_that_cannot_be_written_to_is_named_at_once(setting):
    with pytest.raises(FastTransferError, match=rf"Nothing can be written to {setting}=/proc/x"):
        Run.open(composed("run_dir=runs/x", f"{setting}=/proc/x"))


@pytest.mark.slow
def test_what_would_make_it_another_run_cannot_be_changed(tmp_path):
    for override in ("optimizer.lr=1", "network=johnson", "seed=3", "trainer.max_steps=9"):
        with pytest.raises(FastTransferError, match="cannot be changed"):
            Run.open(resumable(tmp_path, override))
    run = Run.open(resumable(tmp_path, "data.workers=3", "trainer.devices=2"))
    assert run.config.data.workers == 3
    assert run.config.trainer.devices == 2
    for key in CHANGEABLE:
        assert OmegaConf.select(run.config, key, default="absent") != "absent", key


def save_checkpoint(path, step):
    """With all that a run goes on from."""
    states = {"python": random.getstate(), "torch": torch.get_rng_state(), "cuda": []}
    checkpoint = {"global_step": step, "state_dict": {}, "random_states": states}
    torch.save(checkpoint | {"optimizer_states": [], "fasttransfer": {"seconds": 1.0}}, path)


def test_a_complete_run_is_not_resumed(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    save_checkpoint(tmp_path / "checkpoints" / "last.ckpt", 40_000)
    assert Run.open(resumable(tmp_path)).is_trained  # but not scored: that is left to do
    metadata = {"name": "painting", "scores": {"balanced_total": 3.0}}
    save_style(tmp_path / "style.safetensors", TransformerNet([4], 0, 3, 1, False), metadata)
    with pytest.raises(FastTransferError, match="is complete after 40000 steps"):
        Run.open(resumable(tmp_path))


@pytest.mark.parametrize("steps", ["0", "-1", "many"])
def test_steps_must_be_a_number(steps):
    with pytest.raises(FastTransferError, match="must be a whole number"):
        Run.open(composed(f"trainer.max_steps={steps}"))


def test_what_a_style_file_holds_names_no_folder_of_this_machine(tmp_path):
    run = Run.open(
        composed("style.path=/home/me/painting.jpg", "data.root=/data/coco", "run_dir=r")
    )
    settings = style_file_settings(run.config)
    assert settings["style"]["path"] == "painting.jpg"
    assert settings["data"]["root"] == "coco"
    assert "/home" not in str(settings)
    assert "/data" not in str(settings)
    assert "run_dir" not in str(settings)
    assert settings["loss"]["style_weight"] == 20


@pytest.mark.parametrize(
    ("typed", "steps", "message"),
    [
        (["budget=full", "trainer.max_steps=123"], 123, "123 steps will take about 30 s"),
        (["budget=1s", "trainer.max_steps=123"], 4, ""),
        (["budget=1h", "trainer.max_steps=123"], 123, "less than budget=1h, in which 15000 fit"),
        (["budget=10h"], 150_000, ""),  # trainer.max_steps of the package is no limit
    ],
)
def test_a_budget_chooses_the_steps(typed, steps, message, monkeypatch, capsys):
    monkeypatch.setattr(run, "Pace", lambda *_: lambda _: 0.24)
    photos = NoPhotos(batch_size=1)
    own = Run.open(composed("run_dir=runs/x", "trainer.accelerator=cpu", *typed))
    assert own.choose_steps(None, photos) is photos  # type: ignore[arg-type]
    assert own.config.trainer.max_steps == steps
    assert message in capsys.readouterr().err
    # The time ends a run only where no number of steps does.
    assert bool(own.callbacks()) == ("less than" not in message and "budget=full" not in typed)


@pytest.mark.parametrize(
    ("typed", "batch_size"), [([], 16), (["data.batch_size=1"], 1), (["data.batch_size=3"], 3)]
)
def test_on_an_accelerator_a_budget_chooses_the_batch_unless_it_is_typed(
    typed, batch_size, monkeypatch, capsys
):
    monkeypatch.setattr(run, "Pace", lambda *_: lambda _: 0.24)
    monkeypatch.setattr(run, "accelerator_device", lambda _: torch.device("cuda"))
    config = composed("run_dir=runs/x", "budget=1m", "trainer.accelerator=cpu", *typed)
    photos = NoPhotos(config.data.batch_size)
    own = Run.open(config)
    found = own.choose_steps(None, photos)  # type: ignore[arg-type]
    assert found.batch_size == own.config.data.batch_size == batch_size
    assert ("batches of 16 crops" in capsys.readouterr().err) == (batch_size == 16)


class NoPhotos(TrainingPhotos):
    """Without any photos."""

    def __init__(self, batch_size: int) -> None:
        self.crop_size, self.batch_size = 16, batch_size
        self.batches = BatchSettings(batch_size, workers=0, run_dir="run")


def test_two_processes_do_not_train_one_run(tmp_path):
    with FileLock(tmp_path / LOCK_FILE):
        run = Run.open(composed(f"run_dir={tmp_path}"))
        with pytest.raises(FastTransferError, match="trained by another process"):
            run.begin(None)
    assert [path.name for path in tmp_path.iterdir()] == [LOCK_FILE]


@pytest.mark.skipif(os.name == "nt", reason="needs links")
@pytest.mark.parametrize("planted", ["link", "folder"])
def test_what_is_planted_in_place_of_a_lock_is_not_touched(tmp_path, planted):
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "run").mkdir()
    if planted == "link":
        (tmp_path / "run" / LOCK_FILE).symlink_to(tmp_path / "precious")
    else:
        (tmp_path / "run" / LOCK_FILE).mkdir()
    with pytest.raises(FastTransferError, match="cannot be locked"):
        lock_folder(tmp_path / "run")
    assert (tmp_path / "precious").read_text() == "mine"
