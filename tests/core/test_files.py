import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.files import fresh_folder, whole_file, write_whole

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs links, modes, or signals")


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "below" / "file.txt"
    write_whole(path, lambda file: file.write(b"first"))

    def fail(file):
        file.write(b"half of the sec")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(path, fail)
    assert path.read_bytes() == b"first"
    assert list(path.parent.iterdir()) == [path]


@POSIX
def test_what_a_killed_writer_leaves_is_removed_by_the_next_process(tmp_path):
    code = (
        "import os, pathlib, signal, sys; from fasttransfer.core.files import write_whole; "
        "write_whole(pathlib.Path(sys.argv[1]), lambda file: (file.write(b'half of the' * 9999), "
        "os.kill(os.getpid(), signal.{})))"
    )
    command = [sys.executable, "-c", code.format("SIGKILL"), tmp_path / "file.txt"]
    assert subprocess.run(command).returncode == -signal.SIGKILL
    assert [left.suffix for left in tmp_path.iterdir()] == [".part"]
    # SIGCONT: a signal that does nothing to a process that runs
    command = [sys.executable, "-c", code.format("SIGCONT"), tmp_path / "other.txt"]
    assert subprocess.run(command).returncode == 0
    assert [left.name for left in tmp_path.iterdir()] == ["other.txt"]


@POSIX
def test_what_a_living_writer_has_stays(tmp_path):
    code = (
        "import pathlib, sys; from fasttransfer.core.files import write_whole; "
        "write_whole(pathlib.Path(sys.argv[1]), lambda file: file.write(b'other'))"
    )
    with whole_file(tmp_path / "file.txt") as part:
        part.write_bytes(b"mine")
        subprocess.run([sys.executable, "-c", code, tmp_path / "other.txt"], check=True)
    assert (tmp_path / "file.txt").read_bytes() == b"mine"
    assert sorted(left.name for left in tmp_path.iterdir()) == ["file.txt", "other.txt"]


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "file.txt"
    with whole_file(path) as first:
        first.write_bytes(b"first")
        write_whole(path, lambda file: file.write(b"second"))
        assert path.read_bytes() == b"second"
        assert first.read_bytes() == b"first"
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_the_unfinished_name_cannot_be_foreseen(tmp_path):
    names = set()
    for _ in range(3):
        with whole_file(tmp_path / "file.txt") as part:
            names.add(part.name)
            assert len(os.fsencode(part.name)) < 100
            part.write_bytes(b"")
    assert len(names) == 3


@POSIX
def test_a_link_in_place_of_the_unfinished_file_is_not_published(tmp_path):
    victim = tmp_path / "victim.txt"
    victim.write_bytes(b"precious")

    def plant(file):
        (part,) = tmp_path.glob(".*.part")
        part.unlink()
        part.symlink_to(victim)
        file.write(b"a picture")

    with pytest.raises(FastTransferError, match="another program"):
        write_whole(tmp_path / "file.txt", plant)
    assert victim.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [victim]


@POSIX
def test_a_link_at_the_target_is_replaced_and_not_written_through(tmp_path):
    victim = tmp_path / "victim.txt"
    victim.write_bytes(b"precious")
    (tmp_path / "file.txt").symlink_to(victim)
    write_whole(tmp_path / "file.txt", lambda file: file.write(b"new"))
    assert victim.read_bytes() == b"precious"
    assert not (tmp_path / "file.txt").is_symlink()
    assert (tmp_path / "file.txt").read_bytes() == b"new"


@POSIX
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_the_mode_is_what_the_umask_wants(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_whole(tmp_path / "file.txt", lambda file: file.write(b""), durable=True)
    finally:
        os.umask(before)
    assert (tmp_path / "file.txt").stat().st_mode & 0o777 == 0o666 & ~mask


@pytest.mark.parametrize("letters", [250, 255])
def test_a_name_may_be_as_long_as_the_disk_allows(tmp_path, letters):
    write_whole(tmp_path / ("n" * letters), lambda file: file.write(b"long"))
    assert (tmp_path / ("n" * letters)).read_bytes() == b"long"


def test_what_cannot_get_its_name_fails_before_the_work(tmp_path):
    (tmp_path / "folder").mkdir()
    for name in ("n" * 256, "folder"):
        with pytest.raises(OSError, match=name), whole_file(tmp_path / name):
            pytest.fail("the block must not begin")
    assert [left.name for left in tmp_path.iterdir()] == ["folder"]


def test_fresh_folders_are_numbered(tmp_path):
    assert fresh_folder(tmp_path / "a") == tmp_path / "a"
    (tmp_path / "a").mkdir()
    (tmp_path / "a-2").mkdir()
    assert fresh_folder(tmp_path / "a") == tmp_path / "a-3"


def test_a_fresh_folder_for_the_current_one(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert fresh_folder(Path()) == tmp_path / "here-2"
