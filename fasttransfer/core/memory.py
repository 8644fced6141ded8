"""How much memory there is: that of the machine, or less inside a container."""

from pathlib import Path

import psutil

# For each version of Linux's control groups: where they are mounted, and the files with the limit, with
# what is used of it, and with the part of that which the system gives back when it is asked for.
_VERSIONS = {
    2: ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    1: (
        "sys/fs/cgroup/memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
}


def available_memory(root: Path = Path("/")) -> int:
    """Bytes that this process can take before the machine swaps or its container is killed.

    Args:
        root: of the file system in which Linux describes containers.
    """
    return max(0, min([psutil.virtual_memory().available, *_left_in_groups(root)]))


def _left_in_groups(root: Path) -> list[int]:
    """For each control group around this process that has a limit: bytes left of it."""
    left = []
    for line in _lines(root / "proc/self/cgroup"):
        number, _, rest = line.partition(":")
        controllers, _, name = rest.partition(":")
        version = 2 if number == "0" and not controllers else 1
        if version == 1 and "memory" not in controllers.split(","):
            continue
        mount, *names = _VERSIONS[version]
        top = root / mount
        group = top / name.lstrip("/")
        # Inside a container the group's own place may not be visible; its mount shows it as the top.
        while True:
            left += _left(group, *names)
            if group in (top, root):
                break
            group = group.parent
    return left


def _left(group: Path, limit: str, used: str, reclaimable: str) -> list[int]:
    try:
        most = int((group / limit).read_text("utf-8"))  # "max" where there is none
        taken = int((group / used).read_text("utf-8"))
    except (OSError, ValueError):
        return []
    counts = dict(line.split() for line in _lines(group / "memory.stat") if line.count(" ") == 1)
    return [most - max(0, taken - int(counts.get(reclaimable, 0)))]


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8").splitlines()
    except OSError:
        return []
