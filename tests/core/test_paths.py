import os
import socket
import sys
from pathlib import Path

import pytest

from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.paths import (
    check_regular,
    exists,
    expand_user,
    is_file,
    is_folder,
    open_regular,
    real_path,
)

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs links, pipes, or sockets")


@pytest.mark.parametrize("name", ["n" * 300, "nul\0.jpg", "half \udc80\ud800 a pair", "a/b/c"])
def test_questions_never_raise(tmp_path, name):
    for question in (exists, is_file, is_folder):
        assert question(tmp_path / name) is False
    with pytest.raises(FastTransferError):
        open_regular(tmp_path / name)


def test_what_is_there_is_found(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    assert exists(tmp_path)
    assert is_folder(tmp_path)
    assert is_file(tmp_path / "file")
    assert not is_file(tmp_path)
    check_regular(tmp_path / "file")
    with open_regular(tmp_path / "file") as file:
        assert file.read() == b"x"


def test_a_home_of_an_unknown_user_is_not_expanded():
    assert expand_user("~nobody-has-this-name/a") == Path("~nobody-has-this-name/a")
    assert expand_user("~/a") == Path.home() / "a"


@POSIX
@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "loop", "folder"])
def test_only_regular_files_are_opened(tmp_path, kind, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    path = Path("odd.jpg")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "loop":
        path.symlink_to(path.name)
    else:
        path.mkdir()
    words = {"pipe": "named pipe", "loop": "leads back to itself"}.get(kind, kind)
    for look in (check_regular, open_regular):
        with pytest.raises(FastTransferError, match=rf"odd\.jpg cannot be opened.*{words}"):
            look(path)


@POSIX
def test_a_link_to_itself_has_a_path(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "link").symlink_to(tmp_path)
    assert real_path(tmp_path / "loop") == tmp_path.resolve() / "loop"
    assert real_path(tmp_path / "link" / "a") == tmp_path.resolve() / "a"
