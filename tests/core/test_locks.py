"""Locks of one process at a time, on disks with and without them."""

import errno
import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from fasttransfer.core.locks import hold, is_held


def test_one_process_holds_it_until_it_ends(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    assert not is_held(lock)
    imports = "from pathlib import Path; from fasttransfer.core.locks import hold"
    code = f"{imports}; h = hold(Path({str(lock)!r}));"
    with subprocess.Popen(
        [sys.executable, "-c", f"{code} print(h is not None, flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert hold(lock) is None
        assert is_held(lock)
        other.kill()
    held = hold(lock)
    assert held is not None
    held.release()
    assert not is_held(lock)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL])
def test_a_disk_without_locks_lets_everybody_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refused(*_: object) -> None:
        raise OSError(number, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refused)
    first, second = hold(tmp_path / "lock"), hold(tmp_path / "lock")
    assert first is not None
    assert second is not None
    first.release()


@pytest.mark.filterwarnings("error")
def test_a_system_without_locks_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise OSError(errno.ENOSYS, "no such function")

    monkeypatch.setattr(fcntl, "flock", missing)
    held = hold(tmp_path / "lock")
    assert held is not None
    held.release()
    again = hold(tmp_path / "lock")
    assert again is not None
    again.release()


def test_a_place_that_cannot_be_written_to_is_an_error() -> None:
    with pytest.raises(OSError, match="x"):
        hold(Path("/proc/x/lock"))
