"""A picture that lies on disk, stylized in tiles without holding it."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..core.errors import FastTransferError
from ..core.progress import Report
from ..images.regions import Region, grid
from ..images.tensors import from_bytes, resize, to_bytes
from ..stylizing.strokes import GuidedUpsampler
from .planes import Plane
from .settings import TileSettings
from .tiled_network import TiledNetwork, scratch_bytes

if TYPE_CHECKING:
    from ..stylizing.stylizer import Stylizer


class PlaneStylizer:
    """A stylizer for arrays on disk.

    Args:
        stylizer: what is done to them.
        settings: how.
        report: shows the progress.
    """

    def __init__(self, stylizer: "Stylizer", settings: TileSettings, report: Report) -> None:
        self.stylizer = stylizer
        self.settings = settings
        self._report = report

    def __call__(self, photo: Plane, result: Plane, *, title: str, most: int) -> None:
        """Stylizes a picture.

        Args:
            photo: bytes (H, W, 3) or (H, W, 4).
            result: of the same shape. What is known of its tiles lies in files beside it, so that the
                work continues there after a stop.
            title: the picture's name on the progress line.
            most: pixels up to which it is stylized as a whole.

        Raises:
            FastTransferError: there is no room on the disk for ``tiles=exact``.
            DamagedStateError: of interrupted work, not everything is there.
        """
        height, width, _ = photo.shape
        if self.stylizer.settings.stroke_size is not None:
            self._enlarge(photo, result, self.stylizer.settings.stroke_size, title)
        elif height * width <= most:  # as size= made it
            _put(result, photo, self.stylizer, Region(0, height, 0, width), None)
        else:
            self._tile(photo, result, title)

    def _tile(self, photo: Plane, result: Plane, title: str) -> None:
        work = result.path.parent
        exact = self._is_exact(photo, title, work)
        network = TiledNetwork(
            self.stylizer.network,
            photo,
            work,
            exact=exact,
            device=self.stylizer.engine.device,
            tile=self.settings.tile,
            bfloat16=self.stylizer.engine.precision == "bfloat16",
        )
        if not exact:
            network.measure(_reduced(photo, self.settings.thumbnail)[None])
        with self._report.steps(title, network.steps, "tiles") as step:
            network.run(
                lambda region, pixels: _put(result, photo, self.stylizer, region, pixels), step
            )

    def _is_exact(self, photo: Plane, title: str, work: Path) -> bool:
        """Whether the statistics are those of the whole picture.

        That also depends on the room there is.
        """
        if self.settings.tiles == "thumbnail":
            return False
        height, width, _ = photo.shape
        needed = photo.bytes + scratch_bytes(self.stylizer.network, height, width)
        taken = sum(_allocated(file.stat()) for file in work.iterdir())
        free = shutil.disk_usage(work).free + taken - photo.bytes
        if needed > free and self.settings.tiles == "exact":
            raise FastTransferError(
                f"{title} of {width}×{height} pixels requires {needed / 1e9:.1f} GB of disk for "
                f"tiles=exact, and {free / 1e9:.1f} are free; tiles=thumbnail requires none"
            )
        return needed <= free

    def _enlarge(self, photo: Plane, result: Plane, stroke_size: int, title: str) -> None:
        """Strokes of a wanted size: a small copy is stylized and enlarged."""
        height, width, _ = photo.shape
        small = _reduced(photo, stroke_size)
        enlarged = GuidedUpsampler(self.stylizer.network_on(small), small, height, width)
        regions = grid(height, width, self.settings.tile)
        with self._report.steps(title, len(regions), "tiles") as step:
            for region in regions:
                pixels = enlarged.at(region, _photo_at(photo, region))
                _put(result, photo, self.stylizer, region, pixels)
                step()


def _allocated(file: os.stat_result) -> int:
    """Bytes that a file takes of the disk.

    Where the system does not say (Windows), its size, which for files that are not yet full is too
    much.
    """
    blocks = getattr(file, "st_blocks", None)
    return file.st_size if blocks is None else blocks * 512


def _put(
    result: Plane, photo: Plane, stylizer: "Stylizer", region: Region, pixels: Tensor | None
) -> None:
    """Writes what the network made of a region, or makes it, as the stylizer finishes it."""
    height, width, channels = photo.shape
    inside = region.clipped(height, width)
    if inside.top >= inside.bottom or inside.left >= inside.right:
        return
    seen = _photo_at(photo, inside)
    if pixels is None:
        pixels = stylizer.network_on(seen)
    else:
        rows, columns = inside.within(region)
        pixels = pixels[:, rows, columns]
    finished = to_bytes(stylizer.mix(pixels.float().clamp(0, 1), seen)[None])[0].numpy()
    if channels == 4:
        finished = np.concatenate([finished, photo.read(inside)[..., 3:]], axis=-1)
    result.write(inside, finished)


def _photo_at(photo: Plane, region: Region) -> Tensor:
    """(3, h, w) in [0, 1]."""
    return from_bytes(torch.from_numpy(photo.read(region)[..., :3])[None])[0]


def _reduced(photo: Plane, longer: int) -> Tensor:
    """(3, h, w) in [0, 1] with this longer side, or smaller if the photo is.

    Means over blocks while it is more than twice as large, then an antialiased resize.
    """
    height, width, _ = photo.shape
    block = max(1, min(max(height, width) // (2 * longer), height, width))  # of a strip too
    rows, columns = height // block, width // block
    small = torch.empty(3, rows, columns)
    step = max(1, 256 // block)
    for top in range(0, rows, step):
        bottom = min(rows, top + step)
        strip = _photo_at(photo, Region(top * block, bottom * block, 0, columns * block))
        blocks = strip.reshape(3, bottom - top, block, columns, block)
        small[:, top:bottom] = blocks.mean(dim=(2, 4))
    return resize(small, min(longer, max(rows, columns)))
