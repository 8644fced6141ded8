import io
import os
import resource
import signal

import pytest
import torch

from fasttransfer.core.errors import FastTransferError
from fasttransfer.training.checkpointing import (
    Checkpoints,
    Timer,
    WholeCheckpoints,
    keep_as,
    sync_folder,
)


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


def test_the_checkpoint_before_is_kept_and_none_is_ever_missing(tmp_path):
    last, previous = tmp_path / "last.ckpt", tmp_path / "previous.ckpt"
    keep_as(last, previous)  # there is nothing to keep yet
    for number in range(3):
        new = tmp_path / "new.ckpt"
        new.write_text(str(number))
        keep_as(last, previous)
        assert number == 0 or last.read_text() == str(number - 1)
        new.replace(last)
    assert last.read_text() == "2"
    assert previous.read_text() == "1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.ckpt", "previous.ckpt"]


def test_a_power_cut_leaves_whole_checkpoints(tmp_path, monkeypatch):
    """A disk that loses what it was not asked to keep: files end where they were last synced."""
    synced: dict[int, int] = {}
    sync = os.fsync

    def noted(descriptor):
        status = os.fstat(descriptor)
        synced[status.st_ino] = status.st_size
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    for step in range(3):
        WholeCheckpoints().save_checkpoint(
            {"step": step, "x": torch.ones(999)}, tmp_path / "new.ckpt"
        )
        keep_as(tmp_path / "last.ckpt", tmp_path / "previous.ckpt")
        (tmp_path / "new.ckpt").replace(tmp_path / "last.ckpt")
        sync_folder(tmp_path)
    for path in tmp_path.iterdir():
        os.truncate(path, synced.get(path.stat().st_ino, 0))
    steps = {path.name: torch.load(path, weights_only=True)["step"] for path in tmp_path.iterdir()}
    assert steps == {"last.ckpt": 2, "previous.ckpt": 1}
    assert tmp_path.stat().st_ino in synced  # the names are kept, too


def test_a_full_disk_is_named_and_the_last_checkpoint_stays(tmp_path):
    writer = WholeCheckpoints()
    writer.save_checkpoint({"step": 1}, tmp_path / "last.ckpt")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limit[1]))  # no file may be larger
        writer.save_checkpoint({"step": 2, "x": torch.ones(999)}, tmp_path / "last.ckpt")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
    assert writer.problem is not None
    assert writer.problem.startswith(
        f"The checkpoint '{tmp_path / 'last.ckpt'}' cannot be written ("
    )
    assert "unexpected pos" not in writer.problem
    assert torch.load(tmp_path / "last.ckpt", weights_only=True) == {"step": 1}
