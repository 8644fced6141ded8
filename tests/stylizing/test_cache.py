"""What is kept for the next process, and what is not trusted."""

import os
import sys
import tempfile
from pathlib import Path

import pytest

from fasttransfer.stylizing import cache
from fasttransfer.stylizing.cache import cached, folders, forget

posix = pytest.mark.skipif(sys.platform == "win32", reason="folders of a user are private there")


class Maker:
    """Makes contents, and counts how often."""

    def __init__(self, contents: bytes = b"a graph") -> None:
        self.contents = contents
        self.made = 0

    def __call__(self) -> bytes:
        self.made += 1
        return self.contents


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of a user who has none yet; the folder for temporary files is another one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    forget()
    return next(folders())


def once_more(key: str, make: Maker) -> int:
    """How often ``make`` has been called after another process asked for the key."""
    forget()
    assert cached(key, make) == make.contents
    return make.made


def test_contents_are_made_once(folder: Path) -> None:
    make = Maker()
    assert cached("key", make) == cached("key", make) == b"a graph"
    assert once_more("key", make) == 1
    assert once_more("another key", make) == 2


@pytest.mark.parametrize("damage", ["cut", "empty", "garbage", "folder", "fifo", "link", "swapped"])
def test_what_is_not_whole_is_made_again_and_kept(damage: str, folder: Path) -> None:
    make = Maker()
    cached("key", make)
    [entry] = folder.iterdir()
    whole = entry.read_bytes()
    if damage == "swapped":
        cached("another key", Maker(b"another graph"))
        [other] = [path for path in folder.iterdir() if path != entry]
        other.replace(entry)
    elif damage in ("cut", "empty", "garbage"):
        broken = {"cut": whole[:-1], "empty": b"", "garbage": whole[:-3] + b"xyz"}
        entry.write_bytes(broken[damage])
    else:
        entry.unlink()
        if damage == "folder":
            (entry / "below").mkdir(parents=True)
        elif damage == "fifo":
            if not hasattr(os, "mkfifo"):
                pytest.skip("there are no FIFOs")
            os.mkfifo(entry)
        else:
            (folder.parent / "elsewhere").write_bytes(whole)
            entry.symlink_to(folder.parent / "elsewhere")
    assert once_more("key", make) == 2
    assert once_more("key", make) == 2
    assert entry.read_bytes() == whole


@posix
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_can_write_to_is_not_trusted(mode: int, folder: Path) -> None:
    make = Maker()
    cached("key", make)
    folder.chmod(mode)
    assert once_more("key", make) == 2
    assert once_more("key", make) == 2  # it was kept elsewhere
    assert [*folders()][1].stat().st_mode & 0o777 == 0o700


@posix
def test_a_folder_of_somebody_else_is_not_trusted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Maker()
    cached("key", make)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert once_more("key", make) == 2


@posix
def test_a_link_in_place_of_the_folder_is_not_trusted(folder: Path) -> None:
    make = Maker()
    cached("key", make)
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to(folder.with_name("elsewhere"))
    assert once_more("key", make) == 2


def test_no_place_to_write_needs_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.parent.parent.write_text("a file where folders should be")
    make = Maker()
    assert cached("key", make) == b"a graph"
    assert once_more("key", make) == 1  # in the temporary folder
    Path(tempfile.gettempdir()).rename(folder.parents[2] / "gone")
    monkeypatch.setattr(tempfile, "tempdir", str(folder.parent.parent / "file"))
    assert once_more("key", make) == 2
    assert cached("key", make) == b"a graph"
    assert make.made == 2  # this process remembers it
    assert "not kept" in capsys.readouterr().err


def test_a_full_disk_costs_no_picture(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "write_whole", full)
    assert cached("key", Maker()) == b"a graph"


def test_without_a_home_there_is_the_temporary_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    [only] = folders()
    assert only.parent == Path(tempfile.gettempdir())


def test_the_oldest_make_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_ENTRIES", 2)
    for number in range(4):
        cached(str(number), Maker())
        for path in folder.iterdir():  # a file system may have no finer times than seconds
            os.utime(path, ns=(0, path.stat().st_mtime_ns - 10**9))
    assert len([*folder.iterdir()]) == 2
    make = Maker()
    assert once_more("3", make) == 0
    assert once_more("0", make) == 1
