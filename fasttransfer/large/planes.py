"""Arrays on disk: what is too large for memory while a picture is stylized in tiles."""

import errno
import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..images.regions import Region


class Plane:
    """An array (H, W, C) in a file without a header, read and written by regions.

    It is mapped anew each time it is read: what stays mapped counts as memory of the process. Writing
    does without a map, because on a full disk that would end the process instead of raising OSError.

    Args:
        path: of the file; made, full of zeros and without taking room yet, if it is not there.
        shape: H, W and C.
        dtype: of its values.
    """

    def __init__(self, path: Path, shape: Sequence[int], dtype: str) -> None:
        self.path = path
        self.shape = tuple(shape)
        self.dtype = np.dtype(dtype)
        if not path.exists():
            path.touch()
        if path.stat().st_size != self.bytes:
            os.truncate(path, self.bytes)

    @property
    def bytes(self) -> int:
        """Of the whole array."""
        return math.prod(self.shape) * self.dtype.itemsize

    def read(self, region: Region) -> np.ndarray:
        """A copy of (h, w, C) at ``region``."""
        _, width, channels = self.shape
        rows = (region.bottom - region.top, width, channels)  # only what is needed is mapped
        mapped = np.memmap(self.path, self.dtype, "r", self._place(region.top, 0), rows)
        return np.array(mapped[:, region.left : region.right])

    def write(self, region: Region, values: np.ndarray) -> None:
        """Sets (h, w, C) at ``region``."""
        with self.path.open("r+b", buffering=0) as file:
            for row, line in enumerate(values.astype(self.dtype, copy=False), region.top):
                file.seek(self._place(row, region.left))
                contents = line.tobytes()
                if file.write(contents) != len(contents):  # as much as there was room for
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def _place(self, row: int, column: int) -> int:
        """Of a cell, in bytes."""
        _, width, channels = self.shape
        return (row * width + column) * channels * self.dtype.itemsize


class Journal:
    """What is known of each tile, on disk: a row of float64, of which the first is not 0 once the
    tile is done.

    Args:
        path: of the file; made if it is not there.
        rows: number of tiles.
        columns: numbers for each.
    """

    def __init__(self, path: Path, rows: int, columns: int) -> None:
        self._plane = Plane(path, (rows, columns, 1), "float64")
        self._columns = columns

    def get(self, row: int) -> np.ndarray | None:
        """The numbers of a tile, or None if it is not done."""
        values = self._plane.read(Region(row, row + 1, 0, self._columns)).ravel()
        return values if values[0] else None

    def __getitem__(self, row: int) -> np.ndarray:
        """The numbers of a tile that is done."""
        values = self.get(row)
        if values is None:
            raise KeyError(row)
        return values

    def set(self, row: int, values: np.ndarray) -> None:
        """Records a tile as done; all that it stands for must have been written before."""
        # The first one last: a row is complete or does not count.
        self._plane.write(Region(row, row + 1, 1, self._columns), values.reshape(1, -1, 1)[:, 1:])
        self._plane.write(Region(row, row + 1, 0, 1), values.reshape(1, -1, 1)[:, :1])
