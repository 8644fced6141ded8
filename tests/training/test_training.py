"""Whole training runs through the command, in processes of their own, as a person starts them."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from fasttransfer.cli.train import main
from fasttransfer.models.blending import base_of
from fasttransfer.models.style_file import load_style
from fasttransfer.models.transformer_net import fingerprint
from tests.helpers.commands import Command, Done
from tests.helpers.commands import run as run_command

SCRIPT = Path(__file__).parents[2] / "train.py"
VIDEO = "experiment=video"  # with random flows; the other scripts are tested without
STEPS = 20  # enough for a signal to come in between


def train(*arguments: str, cwd: Path) -> Done:
    return run_command("train", *arguments, cwd=cwd)


def script(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """``train.py`` itself, for what starts it again."""
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
    )


def weights(run: Path) -> dict[str, torch.Tensor]:
    checkpoint = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["global_step"] == STEPS
    moments = {
        f"optimizer.{parameter}.{name}": value
        for parameter, state in checkpoint["optimizer_states"][0]["state"].items()
        for name, value in state.items()
    }
    return checkpoint["state_dict"] | moments


def wait_for(condition, process: Command) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, "the run ended before it could be stopped"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def step_of(run: Path) -> int:
    """Steps behind the last checkpoint, 0 without one; a checkpoint is whole or not there at all."""
    file = run / "checkpoints" / "last.ckpt"
    return torch.load(file, weights_only=True)["global_step"] if file.exists() else 0


@pytest.fixture(scope="module")
def complete(tiny_run: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    done = train(*tiny_run, VIDEO, "run_dir=complete", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "python infer.py style=complete input=photo.jpg" in done.stdout
    return folder / "complete"


@pytest.mark.slow
def test_a_run_leaves_a_style_a_preview_and_its_logs(complete: Path) -> None:
    style = load_style(complete / "style.safetensors")
    assert style.name == "painting"
    assert style.metadata["steps"] == STEPS
    assert style.metadata["scores"]["balanced_total"] > 0
    assert style.metadata["training"]["data"]["root"] == "photos"  # no folders of this machine
    assert str(complete.parent) not in str(style.metadata)
    assert (complete / "preview.png").stat().st_size > 1000

    events = EventAccumulator(str(complete), size_guidance={"images": 0}).Reload()
    tags = events.Tags()
    assert {
        "train/content",
        "train/style_relu4_3",
        "train/temporal",
        "train/total",
        "val/balanced_total",
    } <= {*tags["scalars"]}
    assert [event.step for event in events.Images("probe/probe")] == [0, 10, 20]

    checkpoint = load_style(complete / "checkpoints" / "last.ckpt")
    for left, right in zip(
        checkpoint.network.parameters(), style.network.parameters(), strict=True
    ):
        assert torch.equal(left, right)
    keys = torch.load(complete / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    assert not [key for key in keys if key.startswith("loss.")]  # the frozen VGG stays out


@pytest.mark.slow
def test_a_run_that_was_killed_before_its_scores_gets_them(complete: Path, tmp_path: Path) -> None:
    """As the last checkpoint is kept before pictures and scores are made, which takes seconds."""
    run = tmp_path / "killed"
    shutil.copytree(complete, run)
    for name in ("style.safetensors", "scores.jsonl", "preview.png"):
        (run / name).unlink()
    before = weights(run)
    done = train("resume=killed", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "killed/style.safetensors is ready" in done.stdout
    style, expected = (load_style(folder / "style.safetensors") for folder in (run, complete))
    assert style.metadata["scores"] == pytest.approx(expected.metadata["scores"])
    assert style.metadata["steps"] == STEPS
    for left, right in zip(style.network.parameters(), expected.network.parameters(), strict=True):
        assert torch.equal(left, right)
    assert (run / "preview.png").read_bytes() == (complete / "preview.png").read_bytes()
    assert weights(run).keys() == before.keys()
    again = train("resume=killed", cwd=tmp_path)
    assert again.returncode == 2
    assert f"is complete after {STEPS} steps" in again.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_stopped_and_resumed_run_ends_bit_for_bit_the_same(
    number: signal.Signals, complete: Path, tiny_run: list[str], tmp_path: Path
) -> None:
    run = tmp_path / "stopped"
    often = "callbacks.checkpoints.every_n_steps=1"
    process = Command("train", *tiny_run, VIDEO, "run_dir=stopped", often, cwd=tmp_path)
    wait_for(lambda: step_of(run) >= 2, process)
    os.killpg(process.pid, number)  # photo readers too
    stopped = process.wait()
    assert 2 <= step_of(run) < STEPS
    if number is not signal.SIGKILL:
        assert stopped.returncode == 128 + number
        assert "resume=stopped" in stopped.stderr
        assert "Traceback" not in stopped.stderr

    moved = tmp_path / "elsewhere" / "moved run"
    moved.parent.mkdir()
    run.rename(moved)
    resumed = train(f"resume={moved.name}", cwd=moved.parent)
    assert resumed.returncode == 0, resumed.stderr
    assert not run.exists()
    expected, found = weights(complete), weights(moved)
    assert expected.keys() == found.keys()
    for key, value in expected.items():
        assert torch.equal(value, found[key]), key


@pytest.mark.slow
def test_a_base_that_was_killed_ends_bit_for_bit_the_same(
    tiny_run: list[str], tmp_path: Path
) -> None:
    """Its checkpoint has what each style has of its own; whose turn it is follows from the step."""
    few = ["experiment=base", "training.styles.held_out=[oil,paper,points,woodcut,facets,mosaic]"]
    few += ["training.styles.drawn=0", "training.styles.size=64", "training.styles.mixtures=1"]
    command = [
        *tiny_run,
        *few,
        f"trainer.max_steps={STEPS}",
        "callbacks.checkpoints.every_n_steps=1",
    ]
    whole = train(*command, "run_dir=whole", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    process = Command("train", *command, "run_dir=killed", cwd=tmp_path)
    wait_for(lambda: step_of(tmp_path / "killed") >= 12, process)  # after each had a turn
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    resumed = train("resume=killed", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    expected, found = weights(tmp_path / "whole"), weights(tmp_path / "killed")
    assert expected.keys() == found.keys()
    for key, value in expected.items():
        assert torch.equal(value, found[key]), key
    metadata = load_style(tmp_path / "killed" / "style.safetensors").metadata
    assert metadata["training"]["training"]["styles"]["paintings"] is None


@pytest.mark.slow
def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_checkpoint(
    tiny_run: list[str], tmp_path: Path
) -> None:
    done = train(
        *tiny_run,
        "run_dir=bad",
        "optimizer.lr=1e30",
        "trainer.gradient_clip_val=null",
        "callbacks.checkpoints.every_n_steps=1",
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert re.search(r"no longer a number at step \d+ \(.*content", done.stderr)
    assert "Traceback" not in done.stderr
    # The steps before were no better: nothing that a run could go on from is left behind.
    assert not (tmp_path / "bad" / "checkpoints" / "last.ckpt").exists()


@pytest.mark.slow
def test_a_run_starts_where_another_ended(complete: Path, tiny_run: list[str]) -> None:
    folder = complete.parent
    more = ("start=[complete,complete]", "trainer.max_steps=1", "optimizer.lr=1e-9", "run_dir=more")
    done = train(*tiny_run, VIDEO, *more, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "starting from the weights of 'painting'" in done.stderr
    style = load_style(folder / "more" / "style.safetensors")
    assert style.metadata["training"]["start"] == "complete"
    first = load_style(complete / "style.safetensors")
    assert base_of(style) == fingerprint(first.network)  # which began with random weights
    assert load_style(complete / "style.safetensors").metadata["training"]["start"] is None
    photo = torch.rand(1, 3, 48, 64)
    before = load_style(complete / "style.safetensors").network(photo)
    assert torch.allclose(style.network(photo), before, atol=1e-3)


@pytest.mark.slow
def test_two_processes_together_are_one_with_twice_the_batch(
    tiny_run: list[str], tmp_path: Path
) -> None:
    """The crops, the flows and, with terms that are means over the photos of a step, the weights."""
    means = [
        "loss.terms.style.distance.over_batch=false",
        "loss.grid_weight=0",
        "loss.palette_weight=0",
    ]
    means += ["loss.fine_weight=0"]
    # Adam follows the sign of a gradient, also of one that is nothing but rounding; not with this.
    means += [
        "optimizer=adam",
        "+optimizer.eps=1",
        "optimizer.lr=0.01",
        "trainer.precision=32-true",
    ]
    same = [*tiny_run, VIDEO, *means, "training.averaged_part=0", "trainer.max_steps=6"]
    two = script(*same, "run_dir=two", "trainer=ddp", "trainer.devices=2", cwd=tmp_path)
    assert two.returncode == 0, two.stderr
    one = train(*same, "run_dir=one", "data.batch_size=4", cwd=tmp_path)
    assert one.returncode == 0, one.stderr
    alone = train(*same, "run_dir=alone", cwd=tmp_path)  # with half of the crops
    assert alone.returncode == 0, alone.stderr
    left, right, other = (
        torch.cat(
            [
                p.flatten()
                for p in load_style(tmp_path / run / "style.safetensors").network.parameters()
            ]
        )
        for run in ("two", "one", "alone")
    )
    difference = (left - right).abs().max()
    assert difference < 0.02 * (left - other).abs().max(), "only rounding may differ"


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_the_runs_of_a_sweep_do_not_disturb_each_other(
    tiny_run: list[str], tmp_path: Path, launcher: str
) -> None:
    """One of them is a mistake; the other has a folder of its own, with a log for TensorBoard."""
    sweep = [*tiny_run, "trainer.max_steps=2", "style.size=0,80", f"hydra/launcher={launcher}"]
    done = script("-m", *sweep, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("style.size=0 must be"), done.stderr
    assert "Traceback" not in done.stderr
    (folder,) = (tmp_path / "runs").glob("sweep-*")
    assert (
        load_style(folder / "1" / "style.safetensors").metadata["training"]["style"]["size"] == 80
    )
    assert list((folder / "1").rglob("events.out.tfevents*"))


@pytest.mark.slow
def test_a_sweep_takes_one_device_a_run(tiny_run: list[str], tmp_path: Path) -> None:
    done = train("-m", *tiny_run, "trainer=ddp", "trainer.devices=2", "seed=1,2", cwd=tmp_path)
    assert done.returncode == 2
    assert "one device, not trainer.devices=2" in done.stderr.splitlines()[-1]
    assert not list(tmp_path.rglob("*.ckpt"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("style.path=missing.jpg", "no style image 'missing.jpg'"),
        ("data.root=missing", "'missing' does not exist; give a folder of photos"),
        ("budget=soon", "budget=soon is not a time"),
        ("loss.terms.content.layer=relu9_9", "no layer 'relu9_9'"),
        ("loss.terms.style.layers=[]", "loss.terms.style.layers is empty"),
        ("loss.style_weight=-1", "loss.style_weight=-1 must be a number from 0 on"),
        ("loss.terms.tone.cell=0", "loss.terms.tone.cell=0 must be 1 or more"),
        (
            "loss.terms.grid.period=0",
            "loss.terms.grid.period=0 must be from 1 to loss.terms.grid.window=60",
        ),
        ("optimizer.lr=-1", "optimizer.lr=-1 must be a number above 0"),
        ("optimizer.betas=[0.9]", "optimizer.betas=[0.9] must be two numbers"),
        ("+scheduler.div_factor=0", "schedule cannot be made: "),
        ("scheduler.pct_start=2", "schedule cannot be made: Expected float between 0 and 1"),
        ("+optimizer.speed=2", "cannot be made: Muon.__init__() got an unexpected keyword"),
        ("training.temporal.weight=2", "temporal"),
        pytest.param(
            "experiment=base training.styles.paintings=nowhere",
            "There is no folder 'nowhere'",
            marks=pytest.mark.slow,
        ),
        ("network.chanels=[4]", "chanels"),
        ("network.kernel_size=4", "kernel_size must be odd"),
        ("trainer.precision=foo", "foo"),
        ("trainer.accelerator=gpu", "trainer.accelerator=gpu is not available"),
        ("resume=missing", "'missing' is not a run folder"),
        ("vgg.weights=missing.pth", "no VGG16 weights 'missing.pth'"),
    ],
)
def test_mistakes_give_one_sentence(
    argument: str,
    message: str,
    tiny_run: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py", *tiny_run, "start=null", *argument.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    stderr = capsys.readouterr().err
    assert message in stderr
    assert len(stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir()), "a mistake must not leave a run folder"
