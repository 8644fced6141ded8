import io
import signal
import subprocess
import sys

import pytest
import torch

from fasttransfer.errors import FastTransferError
from fasttransfer.saving import Checkpoints, Clock, WholeCheckpoints


def test_a_clock_strikes_once_in_its_time():
    assert not Clock(3600).strikes()
    assert not Clock(None).strikes()
    clock = Clock(0)
    assert clock.strikes()
    assert clock.strikes()
    clock.every_seconds = 3600
    assert not clock.strikes()


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


def test_the_first_signal_is_noted_and_the_second_ends_the_process(tmp_path):
    code = f"""
import os, signal
from fasttransfer.saving import Checkpoints
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
