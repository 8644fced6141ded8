"""Content photos: which files of a folder can be used."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from torch import Tensor

from ..core.assets import BUNDLED_PHOTOS
from ..core.errors import FastTransferError
from ..core.hardware import allowed_cpus
from ..core.paths import expand_user, is_file, is_folder, real_path
from ..core.progress import Report
from ..images.folders import pictures_below
from ..images.reading import open_rgb
from ..images.sizes import resized
from ..images.tensors import to_tensor
from .crops import SMALLEST
from .findings import Findings

SKIPPED_FILE = "skipped_photos.txt"
MANY = 1000  # photos, at which looking at them takes long enough to be shown and remembered


def photo_folder(root: str | Path) -> Path:
    """``root`` itself, or the photos of the package that are called so, see ``BUNDLED_PHOTOS``."""
    folder = BUNDLED_PHOTOS.get(str(root), expand_user(root))
    if not is_folder(folder):
        problem = "is a file" if is_file(folder) else "does not exist"
        raise FastTransferError(f"'{root}' {problem}; give a folder of photos, or bundled.")
    return folder


def usable_photos(folder: Path, findings: Findings) -> tuple[list[Path], dict[Path, str]]:
    """Opens every photo of a folder once, reduced, and sorts out what cannot be trained with.

    Args:
        folder: searched with everything below it.
        findings: what a photo must have, and what is known already; it gets what is found.

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
    with ThreadPoolExecutor(max_workers=allowed_cpus()) as pool:  # decoders release the GIL
        reasons: Iterable[str | None] = pool.map(findings.reason, paths)
        if len(paths) >= MANY:
            reasons = Report().track(reasons, len(paths), "looking at photos", "images")
        found = dict(zip(paths, reasons, strict=True))
    skipped |= {path: why for path, why in found.items() if why is not None}
    if 2 * len(skipped) > len(paths):
        first = next(iter(skipped.values()))
        raise FastTransferError(
            f"{len(skipped)} of the {len(paths)} pictures in '{folder}' cannot be used, the first "
            f"because {first}; give data.root a folder of photos."
        )
    return [path for path in paths if path not in skipped], skipped


def read_probe(folder: Path, size: int, count: int, max_pixels: int) -> dict[Path, Tensor]:
    """The first ``count`` usable photos of a folder, reduced.

    Args:
        folder: searched with everything below it.
        size: longer side in pixels.
        count: how many at most.
        max_pixels: largest picture that is decoded.

    Returns:
        By their paths, (3, H, W) in [0, 1].

    Raises:
        FastTransferError: none that can be read and is wide and high enough to be scored.
    """
    photos: dict[Path, Tensor] = {}
    problem = "there is no picture in it"
    for path in pictures_below(folder):
        if len(photos) == count:
            break
        try:
            photo = open_rgb(path, max_pixels=max_pixels)
            if max(photo.size) > size:
                photo = resized(photo, size)
            if min(photo.size) < SMALLEST:
                raise FastTransferError(
                    f"{path} has {photo.width}×{photo.height} pixels at data.probe_size={size}, too "
                    f"few ({SMALLEST} a side)"
                )
        except FastTransferError as error:
            problem = str(error)
            continue
        photos[real_path(path)] = to_tensor(photo)
    if not photos:
        raise FastTransferError(
            f"The folder '{folder}' has no probe photo: {problem}; give data.probe some photos."
        )
    return photos
