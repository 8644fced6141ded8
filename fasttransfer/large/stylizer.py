"""Pictures too large to be stylized at once: from file to file in tiles, and on after a stop."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..core.errors import FastTransferError, brief
from ..core.files import write_whole
from ..core.progress import Report
from ..images.regions import Region, grid
from ..images.tensors import from_bytes, resize, to_bytes
from ..models.transformer_net import fingerprint
from ..stylizing.strokes import GuidedUpsampler
from .planes import Plane
from .rasters import pack, too_wide, unpack
from .tiled_network import TiledNetwork, scratch_bytes

if TYPE_CHECKING:
    from ..stylizing.stylizer import Stylizer
from .settings import TileSettings


@dataclass(frozen=True)
class LargePicture:
    """A picture file of which only the header has been read.

    Attributes:
        size: width and height as stored.
        longer: side in pixels that it is reduced or enlarged to; None leaves it.
        most: pixels of a picture that is stylized as a whole.
    """

    path: Path
    size: tuple[int, int]
    longer: int | None
    most: int
    max_pixels: int
    settings: TileSettings
    notes: tuple[str, ...] = ()

    def stylized(self, stylizer: "Stylizer") -> "LargeStylized":
        """The same picture as it will be; it is stylized while it is written."""
        return LargeStylized(self, stylizer)


class LargeStylized:
    """A large picture and its style, see ``LargePicture``."""

    def __init__(self, picture: LargePicture, stylizer: "Stylizer") -> None:
        self._picture = picture
        self._stylizer = stylizer

    def write(self, output: Path, quality: int, report: Report) -> None:
        """Stylizes the picture into a file.

        What is done lies in a hidden folder beside ``output`` until that is complete; if the work
        was interrupted, it goes on there.

        Raises:
            FastTransferError: the picture cannot be read or written, or the disk is full.
        """
        try:
            work = self._work_folder(output)
            photo = self._photo(work, report)
            self._check(photo, output, work)
            result = Plane(work / "stylized", photo.shape, "uint8")
            picture = self._picture
            stylize_plane(
                photo,
                result,
                self._stylizer,
                picture.settings,
                title=picture.path.name,
                most=picture.most,
                report=report,
            )
            pack(result, output, quality)
        except OSError as error:
            raise FastTransferError(
                f"{output} cannot be written ({error.strerror or brief(error)}); what is done is "
                "kept in a hidden folder beside it: make room and run the same command again"
            ) from error
        shutil.rmtree(work, ignore_errors=True)

    def _photo(self, work: Path, report: Report) -> Plane:
        """The picture as bytes on disk."""
        about, path = work / "photo.json", work / "photo"
        if about.exists():
            return Plane(path, json.loads(about.read_text()), "uint8")
        picture = self._picture
        try:
            photo, notes = unpack(
                picture.path,
                path,
                size=picture.size,
                longer=picture.longer,
                max_pixels=picture.max_pixels,
            )
        except FastTransferError:  # nothing to go on with
            shutil.rmtree(work, ignore_errors=True)
            raise
        for note in notes:
            report.note(picture.path, note)
        write_whole(about, lambda file: file.write(json.dumps(photo.shape).encode()))
        return photo

    def _check(self, photo: Plane, output: Path, work: Path) -> None:
        """Raises FastTransferError for what would only fail at the end of the work."""
        height, width, _ = photo.shape
        size, most = self._stylizer.settings.stroke_size, self._picture.settings.memory
        problem = too_wide(output, (width, height))
        if size is not None and size > max(height, width):
            problem = (
                f"stroke_size={size} is more than the {max(height, width)} pixels of "
                f"{self._picture.path}, which is too large to be enlarged; leave stroke_size out"
            )
        elif size is not None:
            small = height * width * (size / max(height, width)) ** 2
            if small * (self._stylizer.bytes_per_pixel or 0) > most:
                problem = (
                    f"stroke_size={size} is stylized as a whole, which takes more than "
                    f"tiling.memory={most} bytes; write a smaller one, or leave it out"
                )
        if problem:
            shutil.rmtree(work, ignore_errors=True)
            raise FastTransferError(problem)

    def _work_folder(self, output: Path) -> Path:
        """The folder for this picture, style and settings; what is there of others is removed."""
        stylizer, file = self._stylizer, self._picture.path.stat()
        key = json.dumps(
            {
                "photo": [str(self._picture.path.resolve()), file.st_size, file.st_mtime_ns],
                "sizes": [self._picture.longer, self._picture.most],
                "settings": asdict(self._picture.settings),
                "weights": fingerprint(stylizer.network),
                "precision": stylizer.engine.precision,
                "stylizer": asdict(stylizer.settings),
            }
        )
        work = output.with_name(f".{output.name}.tiles")
        about = work / "job.json"
        if not about.exists() or about.read_text() != key:
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            write_whole(about, lambda file: file.write(key.encode()))
        return work


def stylize_plane(
    photo: Plane,
    result: Plane,
    stylizer: "Stylizer",
    settings: TileSettings,
    *,
    title: str,
    most: int,
    report: Report,
) -> None:
    """Stylizes a picture that lies on disk, without holding it.

    Args:
        photo: bytes (H, W, 3) or (H, W, 4).
        result: of the same shape. What is known of its tiles lies in files beside it, so that the work
            goes on there after a stop.
        stylizer: what is done to it.
        settings: how.
        title: what the progress line calls it.
        most: pixels up to which it is stylized as a whole.
        report: is told of the progress.

    Raises:
        FastTransferError: there is no room on the disk for ``tiles=exact``.
    """
    height, width, _ = photo.shape
    if stylizer.settings.stroke_size is not None:
        _enlarge(photo, result, stylizer, settings.tile, title, report)
    elif height * width <= most:  # as size= made it
        _put(result, photo, stylizer, Region(0, height, 0, width), None)
    else:
        _tile(photo, result, stylizer, settings, title, report)


def _tile(
    photo: Plane,
    result: Plane,
    stylizer: "Stylizer",
    settings: TileSettings,
    title: str,
    report: Report,
) -> None:
    work = result.path.parent
    exact = _exact(photo, stylizer, settings, title, work)
    network = TiledNetwork(
        stylizer.network,
        photo,
        work,
        exact=exact,
        device=stylizer.engine.device,
        tile=settings.tile,
        bfloat16=stylizer.engine.precision == "bfloat16",
    )
    if not exact:
        network.measure(_reduced(photo, settings.thumbnail)[None])
    with report.steps(title, network.steps, "tiles") as step:
        network.run(lambda region, pixels: _put(result, photo, stylizer, region, pixels), step)


def _exact(
    photo: Plane, stylizer: "Stylizer", settings: TileSettings, title: str, work: Path
) -> bool:
    """Whether to, which also depends on the room there is."""
    if settings.tiles == "thumbnail":
        return False
    height, width, _ = photo.shape
    needed = photo.bytes + scratch_bytes(stylizer.network, height, width)
    taken = sum(file.stat().st_blocks * 512 for file in work.iterdir())
    free = shutil.disk_usage(work).free + taken - photo.bytes
    if needed > free and settings.tiles == "exact":
        shutil.rmtree(work, ignore_errors=True)
        raise FastTransferError(
            f"{title} of {width}×{height} pixels needs {needed / 1e9:.1f} GB of disk for tiles=exact, "
            f"and {free / 1e9:.1f} are free; tiles=thumbnail needs none"
        )
    return needed <= free


def _enlarge(
    photo: Plane, result: Plane, stylizer: "Stylizer", tile: int, title: str, report: Report
) -> None:
    """Strokes of a wanted size: a small copy is stylized and enlarged."""
    height, width, _ = photo.shape
    assert stylizer.settings.stroke_size is not None
    small = _reduced(photo, stylizer.settings.stroke_size)
    enlarged = GuidedUpsampler(stylizer.network_on(small), small, height, width)
    regions = grid(height, width, tile)
    with report.steps(title, len(regions), "tiles") as step:
        for region in regions:
            pixels = enlarged.at(region, _photo_at(photo, region))
            _put(result, photo, stylizer, region, pixels)
            step()


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
    """(3, h, w) in [0, 1] with this longer side, or smaller if the photo is: means over blocks while
    it is more than twice as large, then an antialiased resize."""
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
