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
from ..images.masks import Mask
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

    def __call__(
        self, photo: Plane, result: Plane, *, title: str, most: int, mask: Mask | None = None
    ) -> None:
        """Stylizes a picture.

        Args:
            photo: bytes (H, W, 3) or (H, W, 4).
            result: of the same shape. What is known of its tiles lies in files beside it, so that the
                work continues there after a stop.
            title: the picture's name on the progress line.
            most: pixels up to which it is stylized as a whole.
            mask: where it is stylized; None: everywhere.

        Raises:
            FastTransferError: there is no room on the disk for ``tiles=exact``.
            DamagedStateError: of interrupted work, not everything is there.
        """
        height, width, _ = photo.shape
        under = self._under(photo, result, title, most) if self.stylizer.other else None
        finish = _Finish(photo, result, self.stylizer, mask, under)
        if self.stylizer.settings.stroke_size is not None:
            self._enlarge(photo, finish, self.stylizer.settings.stroke_size, title)
        elif height * width <= most:  # as size= made it
            whole = Region(0, height, 0, width)
            finish(whole, self.stylizer.network_on(_photo_at(photo, whole)))
        else:
            self._tile(photo, result, finish, title)

    def _under(self, photo: Plane, result: Plane, title: str, most: int) -> Plane:
        """What the other style makes of the whole photo, in a folder of its own for its tiles."""
        assert self.stylizer.other is not None
        work = result.path.parent / "other"
        started = any(work.glob("*.journal"))
        work.mkdir(exist_ok=True)
        under = Plane(work / "stylized", photo.shape, "uint8", kept=started)
        full = self.stylizer.other.with_settings(strength=1)
        PlaneStylizer(full, self.settings, self._report)(photo, under, title=title, most=most)
        return under

    def _tile(self, photo: Plane, result: Plane, finish: "_Finish", title: str) -> None:
        work = result.path.parent
        height, width, _ = photo.shape
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
            network.measure(reduced(photo, self.settings.thumbnail)[None])
        with self._report.steps(title, network.steps, "tiles") as step:
            network.run(finish, step, lambda region: result.checksum(region.clipped(height, width)))

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

    def _enlarge(self, photo: Plane, finish: "_Finish", stroke_size: int, title: str) -> None:
        """Strokes of a wanted size: a small copy is stylized and enlarged."""
        height, width, _ = photo.shape
        small = reduced(photo, stroke_size)
        enlarged = GuidedUpsampler(self.stylizer.network_on(small), small, height, width)
        regions = grid(height, width, self.settings.tile)
        with self._report.steps(title, len(regions), "tiles") as step:
            for region in regions:
                finish(region, enlarged.at(region, _photo_at(photo, region)))
                step()


def _allocated(file: os.stat_result) -> int:
    """Bytes that a file takes of the disk.

    Where the system does not say (Windows), its size, which for files that are not yet full is too
    much.
    """
    blocks = getattr(file, "st_blocks", None)
    return file.st_size if blocks is None else blocks * 512


class _Finish:
    """Writes what the network made of a region, as the stylizer finishes it.

    Args:
        photo: what it was made of.
        result: where it is written.
        stylizer: has color and strength.
        mask: where the photo is stylized; None: everywhere.
        under: what is seen where it is not; None: the photo.
    """

    def __init__(
        self,
        photo: Plane,
        result: Plane,
        stylizer: "Stylizer",
        mask: Mask | None,
        under: Plane | None,
    ) -> None:
        self._photo = photo
        self._result = result
        self._stylizer = stylizer
        self._under = under
        self._mask = None if mask is None else mask.fitted(*photo.shape[:2])

    def __call__(self, region: Region, pixels: Tensor) -> None:
        """Of the network's (3, h, w), what lies within the photo."""
        height, width, channels = self._photo.shape
        inside = region.clipped(height, width)
        if inside.top >= inside.bottom or inside.left >= inside.right:
            return
        seen = _photo_at(self._photo, inside)
        where = None if self._mask is None else self._mask.at(height, width, inside)
        rows, columns = inside.within(region)
        stylized = pixels[:, rows, columns].float().clamp(0, 1)
        under = None if self._under is None else _photo_at(self._under, inside)
        finished = to_bytes(self._stylizer.mix(stylized, seen, where, under)[None])[0].numpy()
        if channels == 4:
            alpha = self._photo.read(inside)[..., 3:]
            finished = np.concatenate([finished, alpha], axis=-1)
        self._result.write(inside, finished)


def _photo_at(photo: Plane, region: Region) -> Tensor:
    """(3, h, w) in [0, 1]."""
    return from_bytes(torch.from_numpy(photo.read(region)[..., :3])[None])[0]


def reduced(photo: Plane, longer: int) -> Tensor:
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
