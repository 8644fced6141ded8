"""Stylizes volumes, that is, stacks of slices, along every axis.

A network for pictures knows nothing about the previous slice: stylized one by one, neighboring
slices differ in every stroke. So the volume is cut along each of its three axes, every cut is
stylized, and each voxel is the mean of the three pictures it lies in. Two of these run across the
slices of the third, so neighbors match.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from ..core.errors import FastTransferError
from ..core.progress import Report
from ..core.scratch import scratch_folder
from ..images.regions import Region
from ..large.plane_stylizer import PlaneStylizer
from ..large.planes import Plane
from ..large.settings import TileSettings
from .files import Slices, Volume
from .voxels import Voxels

if TYPE_CHECKING:
    from ..stylizing.stylizer import Stylizer


THIN = 16  # pixels a side, below which a cut shows too little to be stylized


@dataclass(frozen=True)
class StylizedVolume:
    """A stylized volume on disk, in a folder that is removed at the end of a ``with`` block.

    Attributes:
        volume: what it was made of.
        sums: for each voxel, the sum of the ``cuts`` stylized pictures it lies in.
        cuts: how many these are.
        folder: removes the folder.
    """

    volume: Volume
    sums: Voxels
    cuts: int
    folder: ExitStack

    def __enter__(self) -> "StylizedVolume":
        return self

    def __exit__(self, *_: object) -> None:
        self.folder.close()

    def slices(self) -> Slices:
        """RGB bytes (H, W, 3), one after the other."""
        for number in range(len(self.sums)):
            mean = self.sums.cut(0, number) / self.cuts
            yield mean.round().astype(np.uint8)


class VolumeStylizer:
    """Stylizes volumes: each voxel is the mean of what its cuts along each axis become.

    In memory are one cut and its stylized picture; the rest lies in a hidden folder in
    ``Volume.scratch``, nine bytes a voxel.

    Args:
        stylizer: what is done to the cuts.
        tiling: which cuts are stylized in tiles, and how.
        report: gets notes, and shows the progress.
    """

    def __init__(self, stylizer: "Stylizer", tiling: TileSettings, report: Report) -> None:
        self._stylizer = stylizer
        self._report = report
        # One cut after another: a progress line for the tiles of each would only flicker.
        quiet = Report(console=Console(quiet=True))
        self._on_planes = PlaneStylizer(stylizer, tiling, quiet)
        needed = stylizer.bytes_per_pixel
        self._most: int | None = None
        if needed is not None:
            self._most = tiling.most_pixels(needed, stylizer.engine.device)

    def __call__(self, volume: Volume) -> StylizedVolume:
        """The stylized volume.

        Raises:
            FastTransferError: it cannot be read, or is too thin.
            OSError: the disk is full.
        """
        axes = self._axes(volume)
        with ExitStack() as stack:
            folder = stack.enter_context(scratch_folder(volume.scratch or volume.path.parent))
            voxels = Voxels(folder / "voxels", volume.shape, "uint8", volume.slices())
            none = repeat(np.zeros((*volume.shape[1:], 3)), len(voxels))
            sums = Voxels(folder / "sums", volume.shape, "uint16", none)
            steps = sum(volume.shape[axis] for axis in axes)
            with self._report.steps(volume.path.name, steps, "cuts") as step:
                for axis, number in _cuts(axes, volume.shape):
                    sums.add(axis, number, self._stylized(voxels.cut(axis, number), folder))
                    step()
            return StylizedVolume(volume, sums, len(axes), stack.pop_all())

    def _axes(self, volume: Volume) -> list[int]:
        """Those along which it is cut."""
        axes = [axis for axis in range(3) if min(np.delete(volume.shape, axis)) >= THIN]
        if not axes:
            raise FastTransferError(
                f"{volume.path} has {'×'.join(map(str, volume.shape))} voxels, and cuts require "
                f"{THIN} a side"
            )
        if len(axes) < 3:
            text = f"is thin, so it is cut along {len(axes)} of its axes only"
            self._report.note(volume.path, text)
        return axes

    def _stylized(self, cut: np.ndarray, folder: Path) -> np.ndarray:
        """RGB bytes (H, W, 3), in tiles on disk where a whole would take too much memory."""
        height, width, _ = cut.shape
        if self._most is None or height * width <= self._most:
            return self._stylizer.frame(cut)
        with scratch_folder(folder) as work:
            whole = Region(0, height, 0, width)
            photo, result = (Plane(work / name, cut.shape, "uint8") for name in ("in", "out"))
            photo.write(whole, cut)
            self._on_planes(photo, result, title="a cut", most=self._most)
            return result.read(whole)


def _cuts(axes: list[int], shape: tuple[int, int, int]) -> Iterator[tuple[int, int]]:
    return ((axis, number) for axis in axes for number in range(shape[axis]))
