import subprocess
import sys
from pathlib import Path

import pytest

from fasttransfer.core.files import fresh_folder, whole_file, write_whole


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


@pytest.mark.skipif(sys.platform == "win32", reason="nobody knows there whether a writer lives")
def test_what_a_killed_writer_leaves_is_written_over(tmp_path):
    path = tmp_path / "file.txt"
    code = (
        "import os, pathlib, signal, sys; from fasttransfer.core.files import write_whole; "
        "write_whole(pathlib.Path(sys.argv[1]), lambda file: (file.write(b'half of the' * 9999), "
        "os.kill(os.getpid(), signal.SIGKILL)))"
    )
    assert subprocess.run([sys.executable, "-c", code, path]).returncode == -9
    assert [left.suffix for left in tmp_path.iterdir()] == [".part"]
    write_whole(path, lambda file: file.write(b"whole"))
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"whole"


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "file.txt"
    with whole_file(path) as first:
        first.write_bytes(b"first")
        write_whole(path, lambda file: file.write(b"second"))
        assert path.read_bytes() == b"second"
        assert first.read_bytes() == b"first"
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_fresh_folders_are_numbered(tmp_path):
    assert fresh_folder(tmp_path / "a") == tmp_path / "a"
    (tmp_path / "a").mkdir()
    (tmp_path / "a-2").mkdir()
    assert fresh_folder(tmp_path / "a") == tmp_path / "a-3"


def test_a_fresh_folder_for_the_current_one(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert fresh_folder(Path()) == tmp_path / "here-2"
