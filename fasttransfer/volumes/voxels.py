"""A volume as an array on disk."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np


class Voxels:
    """An array (D, H, W, 3) in a file.

    The file is mapped for each access, since a lasting map counts as memory of the process. It is
    written as a whole first: on a full disk, writing to a map would kill the process.

    Args:
        path: of the file, which is written.
        shape: D, H, and W.
        dtype: of its values.
        slices: D arrays (H, W, 3).
    """

    def __init__(
        self, path: Path, shape: tuple[int, int, int], dtype: str, slices: Iterable[np.ndarray]
    ) -> None:
        self._map = partial(np.memmap, path, dtype, shape=(*shape, 3))
        self._number = shape[0]
        with path.open("wb") as file:
            for pixels in slices:
                file.write(pixels.astype(dtype).tobytes())

    def __len__(self) -> int:
        return self._number

    def cut(self, axis: int, number: int) -> np.ndarray:
        """A copy of one cut across ``axis``."""
        return np.asarray(self._map(mode="r").take(number, axis))

    def add(self, axis: int, number: int, values: np.ndarray) -> None:
        """Adds ``values`` to one cut across ``axis``."""
        place: list[slice | int] = [slice(None)] * 3
        place[axis] = number
        self._map(mode="r+")[tuple(place)] += values
