"""Content photos: which files of a folder can be used."""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from PIL import Image
from torch import Tensor

from ..core.assets import BUNDLED_PHOTOS
from ..core.errors import FastTransferError
from ..images.folders import pictures_below
from ..images.reading import open_rgb
from ..images.tensors import to_tensor

SKIPPED_FILE = "skipped_photos.txt"


def photo_folder(root: str | Path) -> Path:
    """``root`` itself, or the photos of the package that are called so, see ``BUNDLED_PHOTOS``."""
    folder = BUNDLED_PHOTOS.get(str(root), Path(root).expanduser())
    if not folder.is_dir():
        raise FastTransferError(
            f"The photo folder '{root}' does not exist; give a folder of photos, or bundled."
        )
    return folder


def usable_photos(
    folder: Path, min_side: int, max_pixels: int
) -> tuple[list[Path], dict[Path, str]]:
    """Opens every photo of a folder once, reduced, and sorts out what cannot be trained with.

    Args:
        folder: searched with everything below it.
        min_side: shorter side in pixels that a photo must have.
        max_pixels: largest picture that is decoded.

    Returns:
        The photos to use, and for each file left out, or folder that cannot be searched, the reason.

    Raises:
        FastTransferError: no pictures at all, or more than half of them unusable.
    """
    skipped: dict[Path, str] = {}
    paths = list(pictures_below(folder, lambda place, error: skipped.update({place: str(error)})))
    if not paths:
        raise FastTransferError(
            f"There is no picture in '{folder}'; give data.root a folder of photos (searched with "
            "everything below it)."
        )

    def reason(path: Path) -> str | None:
        try:
            photo = open_rgb(path, max_pixels=max_pixels, min_side=min_side)
        except FastTransferError as error:
            return str(error)
        if min(photo.size) < min_side:
            return f"{path} has {photo.width}×{photo.height} pixels, too few ({min_side} a side)"
        return None

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:  # decoders release the GIL
        reasons = dict(zip(paths, pool.map(reason, paths), strict=True))
    skipped |= {path: why for path, why in reasons.items() if why is not None}
    if 2 * len(skipped) > len(paths):
        first = next(iter(skipped.values()))
        raise FastTransferError(
            f"{len(skipped)} of the {len(paths)} pictures in '{folder}' cannot be used, the first "
            f"because {first}; give data.root a folder of photos."
        )
    return [path for path in paths if path not in skipped], skipped


def read_probe(folder: Path, size: int, count: int, max_pixels: int) -> dict[Path, Tensor]:
    """The first ``count`` photos of a folder, (3, H, W) in [0, 1] with a longer side of ``size``."""
    photos = {}
    for path in islice(pictures_below(folder), count):
        photo = open_rgb(path, max_pixels=max_pixels)
        photo.thumbnail((size, size), Image.Resampling.LANCZOS)
        photos[path.resolve()] = to_tensor(photo)
    if not photos:
        raise FastTransferError(f"There is no picture in '{folder}'; give data.probe some photos.")
    return photos
