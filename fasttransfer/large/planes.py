"""Arrays on disk: what is too large for memory while a picture is stylized in tiles."""

import errno
import math
import os
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..images.regions import Region

_ROWS = 256  # that are read at once


class DamagedStateError(Exception):
    """Kept data of interrupted work differs from what was written; the work must start over."""


class Plane:
    """An array (H, W, C) in a file without a header, read and written by regions.

    It is mapped for each read: a lasting map counts as memory of the process. Writes use no map,
    because on a full disk that would kill the process instead of raising OSError.

    Args:
        path: of the file; created as a sparse file of zeros if it does not exist.
        shape: H, W and C.
        dtype: of its values.
        kept: it must already exist, from interrupted work.

    Raises:
        DamagedStateError: it is ``kept``, but missing or of another size.
    """

    def __init__(self, path: Path, shape: Sequence[int], dtype: str, kept: bool = False) -> None:
        self.path = path
        self.shape = tuple(shape)
        self.dtype = np.dtype(dtype)
        size = path.stat().st_size if path.is_file() else None
        if size == self.bytes:
            return
        if kept:
            raise DamagedStateError(f"{path.name} is missing or of another size")
        if size is None:
            path.touch()
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

    def checksum(self, region: Region | None = None) -> int:
        """Of the bytes at ``region`` (CRC-32), or of all, read back a few rows at a time."""
        region = region or Region(0, self.shape[0], 0, self.shape[1])
        found = 0
        for top in range(region.top, region.bottom, _ROWS):
            rows = replace(region, top=top, bottom=min(top + _ROWS, region.bottom))
            found = zlib.crc32(self.read(rows).tobytes(), found)
        return found

    def _place(self, row: int, column: int) -> int:
        """Of a cell, in bytes."""
        _, width, channels = self.shape
        return (row * width + column) * channels * self.dtype.itemsize


class Journal:
    """What is known of each tile, on disk.

    A row of float64 behind a checksum, without which the row does not count.

    Args:
        path: of the file; created if it does not exist.
        rows: number of tiles.
        columns: numbers for each.
    """

    def __init__(self, path: Path, rows: int, columns: int) -> None:
        self._plane = Plane(path, (rows, 1 + columns, 1), "float64")
        self._columns = columns

    def get(self, row: int) -> np.ndarray | None:
        """The numbers of a tile, or None if it is not done."""
        values = self._plane.read(Region(row, row + 1, 0, 1 + self._columns)).ravel()
        return values[1:] if values[0] == _checksum(values[1:]) else None

    def __getitem__(self, row: int) -> np.ndarray:
        """The numbers of a tile that is done."""
        values = self.get(row)
        if values is None:
            raise KeyError(row)
        return values

    def set(self, row: int, values: np.ndarray) -> None:
        """Records a tile as done; all that it stands for must have been written before."""
        line = np.concatenate([[_checksum(values)], values]).reshape(1, -1, 1)
        self._plane.write(Region(row, row + 1, 0, 1 + self._columns), line)


def _checksum(values: np.ndarray) -> float:
    """From 1 on, so that a row of zeros, which is what a new file has, does not count."""
    return 1.0 + zlib.crc32(values.astype("float64").tobytes())
