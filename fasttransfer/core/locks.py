"""Locks between processes, on disks that may have none."""

import errno
import sys
import warnings
from pathlib import Path

from filelock import FileLock, Timeout

if sys.platform != "win32":
    import fcntl

# Of network disks and of file systems of programs (FUSE), which have more than one way to say no.
_NO_LOCKS = frozenset(
    {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOTTY}
)


def try_lock(descriptor: int) -> bool | None:
    """Locks an open file until it is closed or the process ends, without waiting.

    Returns:
        True: locked. False: another process, or another open of the file, has the lock. None: there
        are no locks here, as on Windows and on some network disks (ENOLCK, EOPNOTSUPP).
    """
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


class Held:
    """A lock that is held until ``release``, or until the process ends, however it does."""

    def __init__(self, lock: FileLock | None) -> None:
        self._lock = lock  # None on a disk that knows no locks

    def release(self) -> None:
        """Lets others take it."""
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> "Held":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def hold(path: Path, patience: float = 0) -> Held | None:
    """Locks the file ``path``, which is made if it is missing.

    Args:
        path: in a folder that is there.
        patience: seconds to wait for another process that has it; negative waits for ever.

    Returns:
        None if another process has it. A disk that knows no locks gives one to everybody.

    Raises:
        OSError: the file cannot be made.
    """
    lock = FileLock(path)
    try:
        with warnings.catch_warnings():
            # Since 3.24, filelock answers ENOSYS by a lock of its own, and says so with a line of code.
            warnings.filterwarnings("ignore", "flock not supported")
            lock.acquire(timeout=patience)
    except Timeout:
        return None
    except NotImplementedError:  # how filelock said ENOSYS before
        return Held(None)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return Held(None)
    return Held(lock)


def is_held(path: Path) -> bool:
    """Whether a process has the lock ``path``."""
    if not path.exists():
        return False
    held = hold(path)
    if held is not None:
        held.release()
    return held is None
