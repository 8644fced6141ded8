import io
import signal
import subprocess
import sys

import pytest
import torch

from fasttransfer.core.errors import FastTransferError
from fasttransfer.training.checkpointing import Checkpoints, Timer, WholeCheckpoints


def test_a_timer_is_due_once_in_its_time():
    assert not Timer(3600).is_due()
    assert not Timer(None).is_due()
    clock = Timer(0)
    assert clock.is_due()
    assert clock.is_due()
    clock.every_seconds = 3600
    assert not clock.is_due()


def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one(tmp_path):
    path = tmp_path / "checkpoints" / "last.ckpt"
    WholeCheckpoints().save_checkpoint({"step": 1}, path)
    with pytest.raises((TypeError, AttributeError, RuntimeError)):
        WholeCheckpoints().save_checkpoint({"step": 2, "file": io.BytesIO, "x": lambda: 0}, path)
    assert torch.load(path, weights_only=True) == {"step": 1}
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("wrong", [{"every_seconds": "soon"}, {"every_n_steps": 0}], ids=str)
def test_impossible_times_are_refused(wrong, tmp_path):
    settings = {"every_seconds": None, "every_n_steps": None, "run_dir": str(tmp_path)} | wrong
    with pytest.raises(FastTransferError, match=next(iter(wrong))):
        Checkpoints(**settings)


@pytest.mark.slow
def test_the_first_signal_is_noted_and_the_second_ends_the_process(tmp_path):
    code = f"""
import os, signal
from fasttransfer.training.checkpointing import Checkpoints
callback = Checkpoints(None, None, {str(tmp_path)!r})
callback.on_train_start(None, None)
os.kill(os.getpid(), signal.SIGTERM)
print(callback.stopped_by.name, flush=True)
os.kill(os.getpid(), signal.SIGINT)
print("not reached")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["SIGTERM"]
    assert done.returncode == 128 + signal.SIGINT
    assert "stopped at once" in done.stderr


def test_handlers_are_given_back(tmp_path):
    callback = Checkpoints(None, None, str(tmp_path))
    before = signal.getsignal(signal.SIGTERM)
    callback.on_train_start(None, None)
    assert signal.getsignal(signal.SIGTERM) is not before
    callback.teardown(None, None, "fit")
    assert signal.getsignal(signal.SIGTERM) is before
