"""Caches slow, deterministic work for later processes, where that is safe.

Nothing depends on it. An entry is used only if its digest fits its key and contents, and only from a
folder that no other user can write to; otherwise it is made again. Without such a folder, entries
live as long as the process.
"""

import hashlib
import os
import shutil
import stat
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

from ..core.errors import brief
from ..core.files import write_whole

MOST_BYTES = 512 * 2**20  # of an entry; a network has a few
MOST_ENTRIES = 64  # in a folder; the oldest make room
MOST_IN_MEMORY = 8
_HEADER = b"fasttransfer cache 1\n"
_DIGEST = 64  # hexadecimal digits of SHA-256

_memory: OrderedDict[str, bytes] = OrderedDict()
_lock = threading.RLock()  # also keeps exporters, which are not made for threads, apart


def cached(key: str, make: Callable[[], bytes]) -> bytes:
    """What ``make`` returns for this key, made now or by an earlier call or process.

    Args:
        key: names what it depends on, all of it.
        make: returns the contents; called again whenever they are not found whole.
    """
    with _lock:
        if key not in _memory:
            _memory[key] = _from_disk(key) or _keep(key, make())
            while len(_memory) > MOST_IN_MEMORY:
                _memory.popitem(last=False)
        _memory.move_to_end(key)
        return _memory[key]


def forget() -> None:
    """Drops what this process holds in memory; entries on disk stay."""
    with _lock:
        _memory.clear()


def folders() -> Iterator[Path]:
    """Where entries may lie, the best place first: the user's cache, then the temporary folder."""
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        yield home / "fasttransfer" / "engines"
    except RuntimeError:  # there is no home
        pass
    try:
        user = f"-{os.getuid()}" if sys.platform != "win32" else ""
        yield Path(tempfile.gettempdir(), f"fasttransfer-engines{user}")
    except OSError:  # nor a place for temporary files
        pass


def _from_disk(key: str) -> bytes | None:
    for folder in folders():
        try:
            if _is_private(os.lstat(folder), stat.S_ISDIR):
                contents = _contents(_entry(folder, key), key)
                if contents:
                    return contents
        except OSError:
            continue
    return None


def _contents(path: Path, key: str) -> bytes | None:
    """The contents of an entry, or None if they are not what was written for this key."""
    # Neither through a link nor waiting for the other end of a pipe.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:
        if not _is_private(os.fstat(descriptor), stat.S_ISREG):
            return None
        whole = file.read(MOST_BYTES)
    start = len(_HEADER) + _DIGEST
    contents = whole[start:]
    return contents if whole[:start] == _HEADER + _digest(key, contents) else None


def _keep(key: str, contents: bytes) -> bytes:
    """Writes an entry to the first folder that takes it, and returns the contents."""
    whole = _HEADER + _digest(key, contents) + contents
    problem = "there is no folder for it"
    for folder in folders():
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_private(os.lstat(folder), stat.S_ISDIR):
                problem = f"others can write to {folder}"
                continue
            path = _entry(folder, key)
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            write_whole(path, lambda file: file.write(whole))
            path.chmod(0o600)
            _make_room(folder)
        except OSError as error:
            problem = brief(error)
            continue
        return contents
    print(f"the engine's graph is not kept for the next start: {problem}", file=sys.stderr)
    return contents


def _make_room(folder: Path) -> None:
    entries = [path for path in folder.glob("*.entry") if path.is_file()]
    for path in sorted(entries, key=lambda path: path.stat().st_mtime)[:-MOST_ENTRIES]:
        path.unlink(missing_ok=True)


def _entry(folder: Path, key: str) -> Path:
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.entry"


def _digest(key: str, contents: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\0" + contents).hexdigest().encode()


def _is_private(found: os.stat_result, is_kind: Callable[[int], bool]) -> bool:
    """Whether it is of this kind and only this user writes to it."""
    if not is_kind(found.st_mode):
        return False
    if sys.platform == "win32":  # folders of a user are private there
        return True
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
