"""Memory within containers, as Linux describes them in files."""

from pathlib import Path

import psutil
import pytest

from fasttransfer.core.memory import available_memory

MIB = 2**20


def write(root: Path, files: dict[str, object]) -> None:
    for name, contents in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{contents}\n")


def test_the_machine_without_a_container(tmp_path: Path) -> None:
    total = psutil.virtual_memory().total
    assert 0 < available_memory(tmp_path) <= total
    write(tmp_path, {"proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": "max"})
    assert MIB < available_memory(tmp_path) <= total


def test_version_2_and_a_limit_further_up(tmp_path: Path) -> None:
    top = "sys/fs/cgroup/pods"
    write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/pods/mine",
            f"{top}/memory.max": 40 * MIB,
            f"{top}/memory.current": 30 * MIB,
            f"{top}/memory.stat": f"anon 5\ninactive_file {8 * MIB}",  # the system gives it back
            f"{top}/mine/memory.max": 30 * MIB,
            f"{top}/mine/memory.current": 5 * MIB,
        },
    )
    assert available_memory(tmp_path) == 18 * MIB
    write(tmp_path, {f"{top}/mine/memory.current": 25 * MIB})
    assert available_memory(tmp_path) == 5 * MIB


@pytest.mark.parametrize("visible", [True, False])
def test_version_1(tmp_path: Path, visible: bool) -> None:
    """Inside a container its own group is the top of what is mounted."""
    place = "sys/fs/cgroup/memory" + ("/docker/abc" if visible else "")
    write(
        tmp_path,
        {
            "proc/self/cgroup": "5:cpu:/\n4:memory:/docker/abc\n0::/",
            f"{place}/memory.limit_in_bytes": 20 * MIB,
            f"{place}/memory.usage_in_bytes": 12 * MIB,
            f"{place}/memory.stat": f"inactive_file 1\ntotal_inactive_file {MIB}",
        },
    )
    assert available_memory(tmp_path) == 9 * MIB


def test_more_used_than_there_is_leaves_nothing(tmp_path: Path) -> None:
    group = "sys/fs/cgroup"
    files = {f"{group}/memory.max": MIB, f"{group}/memory.current": 2 * MIB}
    write(tmp_path, {"proc/self/cgroup": "0::/", **files})
    assert available_memory(tmp_path) == 0
