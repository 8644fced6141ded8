import signal
import subprocess
import sys

import pytest

from fasttransfer.core.scratch import scratch_folder

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs modes or signals")


@POSIX
def test_a_scratch_folder_is_its_users_own_and_goes(tmp_path):
    with scratch_folder(tmp_path) as folder:
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "file").write_bytes(b"x")
    assert list(tmp_path.iterdir()) == []


@POSIX
def test_a_killed_process_leaves_nothing_for_long(tmp_path):
    code = (
        "import os, pathlib, signal, sys; from fasttransfer.core.scratch import scratch_folder\n"
        "with scratch_folder(pathlib.Path(sys.argv[1])) as folder:\n"
        "    (folder / 'slice').write_bytes(b'x'); os.kill(os.getpid(), signal.{})\n"
    )
    command = [sys.executable, "-c", code.format("SIGKILL"), tmp_path]
    with scratch_folder(tmp_path) as mine:
        assert subprocess.run(command).returncode == -signal.SIGKILL
        assert len(list(tmp_path.iterdir())) == 4
        command[2] = code.format("SIGCONT")
        assert subprocess.run(command).returncode == 0
        assert len(list(tmp_path.iterdir())) == 2
        assert mine.is_dir()


@POSIX
def test_a_planted_link_is_not_followed(tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "file").write_bytes(b"precious")
    (tmp_path / "place").mkdir()
    name = f".fasttransfer-{'0' * 32}"
    (tmp_path / "place" / f"{name}.folder").symlink_to(tmp_path / "theirs")
    (tmp_path / "place" / f".fasttransfer-{'1' * 32}.part").symlink_to(tmp_path / "theirs" / "file")
    with scratch_folder(tmp_path / "place"):
        pass
    assert (tmp_path / "theirs" / "file").read_bytes() == b"precious"
