"""Pictures too large to be stylized at once: in tiles on disk, and on after a stop."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import FastTransferError, brief
from ..core.progress import Report
from ..images.masks import Mask
from ..images.metadata import NO_METADATA, Metadata
from ..images.sizes import fitted
from ..models.transformer_net import fingerprint
from .plane_stylizer import PlaneStylizer
from .planes import DamagedStateError, Plane
from .rasters import Unpacked, pack, too_wide, unpack
from .settings import TileSettings
from .work import WorkFolder

if TYPE_CHECKING:
    from ..stylizing.stylizer import Stylizer


@dataclass(frozen=True)
class LargePicture:
    """A picture file of which only the header has been read.

    Attributes:
        path: the file.
        output: the file it becomes; the work is kept in a hidden folder beside it.
        size: width and height as stored.
        longer: side in pixels that it is reduced or enlarged to; None leaves it.
        most: pixels of a picture that is stylized as a whole.
        max_pixels: larger ones are rejected.
        damaged_up_to: see ``open_image``.
        mask: makes the mask of the picture, once that is an array, and notes on it; None: there is
            none.
        mask_key: what distinguishes the mask from others, as JSON.
    """

    path: Path
    output: Path
    size: tuple[int, int]
    longer: int | None
    most: int
    max_pixels: int
    damaged_up_to: float = 0.0
    notes: tuple[str, ...] = ()
    mask: Callable[[Plane], tuple[Mask | None, tuple[str, ...]]] | None = None
    mask_key: object = None


@dataclass(frozen=True)
class LargeResult:
    """A stylized picture as an array on disk, the folder it lies in, and what the photo lacks."""

    plane: Plane
    work: WorkFolder
    damage: str | None


class LargeStylizer:
    """Stylizes large pictures.

    What is done lies in a hidden folder beside the output, and the work continues there if it was
    interrupted.

    Args:
        stylizer: what is done to them.
        settings: how.
        report: gets notes, and shows the progress.
    """

    def __init__(self, stylizer: "Stylizer", settings: TileSettings, report: Report) -> None:
        self._stylizer = stylizer
        self._settings = settings
        self._report = report
        self._on_planes = PlaneStylizer(stylizer, settings, report)

    def __call__(self, picture: LargePicture) -> LargeResult:
        """The stylized picture on disk.

        Raises:
            FastTransferError: the picture cannot be read, or the disk is full.
        """
        with _kept_beside(picture.output):
            work = WorkFolder(picture.output, self._key(picture))
            if work.damaged:
                self._say_damaged(picture)
            try:
                return self._in(work, picture)
            except DamagedStateError:
                work.remove()
            self._say_damaged(picture)
            return self._in(WorkFolder(picture.output, self._key(picture)), picture)

    def _in(self, work: WorkFolder, picture: LargePicture) -> LargeResult:
        try:
            found = work.photo(lambda path: self._unpack(picture, path))
            photo = found.plane
            self._check(photo, picture)
            mask = self._mask(photo, picture)
            result = work.result(photo)
            title, most = picture.path.name, picture.most
            self._on_planes(photo, result, title=title, most=most, mask=mask)
        except FastTransferError:
            if not work.started:  # nothing to continue with
                work.remove()
            raise
        return LargeResult(result, work, found.damage)

    def _mask(self, photo: Plane, picture: LargePicture) -> Mask | None:
        mask, notes = (None, ()) if picture.mask is None else picture.mask(photo)
        for note in notes:
            self._report.note(picture.path, note)
        return mask

    def _say_damaged(self, picture: LargePicture) -> None:
        text = "what was kept of its interrupted work is damaged, so it starts anew"
        self._report.note(picture.path, text)

    def _unpack(self, picture: LargePicture, path: Path) -> Unpacked:
        found = unpack(
            picture.path,
            path,
            size=picture.size,
            longer=picture.longer,
            max_pixels=picture.max_pixels,
            damaged_up_to=picture.damaged_up_to,
        )
        for note in found.notes:
            self._report.note(picture.path, note)
        return found

    def _check(self, photo: Plane, picture: LargePicture) -> None:
        """Raises FastTransferError for what would only fail at the end of the work."""
        height, width, _ = photo.shape
        size = self._stylizer.settings.stroke_size
        if problem := too_wide(picture.output, (width, height)):
            raise FastTransferError(problem)
        if size is None:
            return
        if size > max(height, width):
            raise FastTransferError(
                f"stroke_size={size} is more than the {max(height, width)} pixels of "
                f"{picture.path}, which is too large to be enlarged; leave stroke_size out"
            )
        needed = self._stylizer.bytes_per_pixel
        assert needed is not None
        small = fitted((width, height), size)
        if math.prod(small) > self._settings.fitting_pixels(needed, self._stylizer.engine.device):
            raise FastTransferError(
                f"stroke_size={size} is stylized as a whole, which takes more memory than there is, or "
                "than tiling.memory allows; write a smaller one, or leave it out"
            )

    def _key(self, picture: LargePicture) -> dict[str, object]:
        stylizer, file = self._stylizer, picture.path.stat()
        return {
            "photo": [str(picture.path.resolve()), file.st_size, file.st_mtime_ns],
            "longer": picture.longer,
            "damaged_up_to": picture.damaged_up_to,
            "tiles": [self._settings.tile, self._settings.thumbnail],
            "weights": fingerprint(stylizer.network),
            "other": fingerprint(stylizer.other.network) if stylizer.other else None,
            "precision": stylizer.engine.precision,
            "stylizer": asdict(stylizer.settings),
            "mask": picture.mask_key,
        }


def write_large(
    output: Path, result: LargeResult, quality: int, metadata: Metadata = NO_METADATA
) -> None:
    """Writes a large stylized picture as a file, whole or not at all, and removes its folder.

    Raises:
        FastTransferError: it cannot be written.
    """
    with _kept_beside(output):
        pack(result.plane, output, quality, metadata)
    result.work.remove()


@contextmanager
def _kept_beside(output: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FastTransferError(
            f"{output} cannot be written ({error.strerror or brief(error)}); what is done is "
            "kept in a hidden folder beside it: make room and run the same command again"
        ) from error
