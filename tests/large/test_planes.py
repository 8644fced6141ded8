"""Arrays on disk, read and written by regions."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fasttransfer.images.regions import Region, grid
from fasttransfer.large.planes import Journal, Plane

SIDES = st.integers(1, 40)


@given(SIDES, SIDES, st.integers(1, 50))
def test_a_grid_covers_every_cell_once(height: int, width: int, side: int) -> None:
    covered = np.zeros((height, width), int)
    for region in grid(height, width, side):
        covered[region.top : region.bottom, region.left : region.right] += 1
        assert region.bottom - region.top <= side
    assert (covered == 1).all()


@given(SIDES, SIDES, st.integers(1, 20), st.integers(0, 12))
def test_a_region_is_found_again_in_a_larger_one(
    height: int, width: int, side: int, by: int
) -> None:
    picture = np.arange(height * width).reshape(height, width)
    for region in grid(height, width, side):
        outer = region.grown(by, height, width)
        larger = picture[outer.top : outer.bottom, outer.left : outer.right]
        expected = picture[region.top : region.bottom, region.left : region.right]
        assert (larger[region.within(outer)] == expected).all()


@given(*[st.integers(-9, 50)] * 4, SIDES, SIDES)
def test_a_region_is_clipped_to_cells_that_are_there(
    top: int, rows: int, left: int, columns: int, height: int, width: int
) -> None:
    region = Region(top, top + abs(rows), left, left + abs(columns))
    there = {(y, x) for y in range(height) for x in range(width)}
    wanted = {(y, x) for y in range(region.top, region.bottom) for x in range(left, region.right)}
    clipped = region.clipped(height, width)
    got = {
        (y, x)
        for y in range(clipped.top, clipped.bottom)
        for x in range(clipped.left, clipped.right)
    }
    assert got == there & wanted
    assert clipped.bottom >= clipped.top
    assert clipped.right >= clipped.left


def test_what_is_written_is_read(tmp_path: Path) -> None:
    plane = Plane(tmp_path / "a", (7, 9, 2), "float32")
    assert plane.bytes == 7 * 9 * 2 * 4
    assert (plane.read(Region(0, 7, 0, 9)) == 0).all()
    values = np.random.default_rng(0).random((3, 4, 2), np.float32)
    plane.write(Region(2, 5, 1, 5), values)
    whole = Plane(tmp_path / "a", (7, 9, 2), "float32").read(Region(0, 7, 0, 9))
    assert (whole[2:5, 1:5] == values).all()
    assert whole.sum() == pytest.approx(values.sum(), rel=1e-5)


def test_an_array_takes_no_room_before_it_is_written(tmp_path: Path) -> None:
    plane = Plane(tmp_path / "a", (10_000, 10_000, 4), "uint8")
    assert plane.path.stat().st_size == plane.bytes
    assert plane.path.stat().st_blocks * 512 < 100_000


def test_a_file_that_was_not_finished_is_made_as_large_as_it_has_to_be(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    plane = Plane(tmp_path / "a", (3, 4, 2), "float32")
    assert (plane.read(Region(0, 3, 0, 4)) == 0).all()


def test_a_full_disk_is_an_exception() -> None:
    """Writing through a memory map would end the process instead.

    The limit of a file's size stands in for the disk's.
    """
    code = (
        "import resource, signal, sys, numpy as np; from pathlib import Path\n"
        "from fasttransfer.images.regions import Region\n"
        "from fasttransfer.large.planes import Plane\n"
        "import tempfile\n"
        "plane = Plane(Path(tempfile.mkdtemp()) / 'a', (100, 100, 1), 'uint8')\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "try: plane.write(Region(0, 100, 0, 100), np.ones((100, 100, 1), np.uint8))\n"
        "except OSError as error: sys.exit(error.errno)"
    )
    assert hasattr(resource, "RLIMIT_FSIZE")
    result = subprocess.run([sys.executable, "-c", code], env=os.environ, timeout=60)
    assert result.returncode == errno.EFBIG


def test_a_journal_remembers_what_is_done(tmp_path: Path) -> None:
    Journal(tmp_path / "j", 3, 4).set(1, np.array([5.0, 0.0, -1.0, 2.0]))
    again = Journal(tmp_path / "j", 3, 4)
    assert again.get(0) is None
    assert again[1].tolist() == [5, 0, -1, 2]
    with pytest.raises(KeyError):
        again[2]
