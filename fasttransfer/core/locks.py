"""Locks between processes, on disks that may have none."""

import sys

if sys.platform != "win32":
    import fcntl


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
