"""Stacks of slices in files: TIFFs of several pages, NIfTI files, and folders of pictures."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import AppendingTiffWriter

from ..core.errors import FastTransferError, brief
from ..core.files import whole_file
from ..core.libraries import require
from ..core.paths import is_file, is_folder
from ..core.scratch import scratch_folder
from ..images.decoding import open_image, open_pages
from ..images.folders import pictures_below

_WINDOW = (0.5, 99.5)  # percentiles of a scan's values that become black and white
_CLASSIC = 2**31  # bytes of pixels up to which a TIFF needs no offsets of 64 bits
_SAMPLE = 4  # every so many slices are looked at for that

Slices = Iterator[np.ndarray]


@dataclass(frozen=True)
class Volume:
    """A stack of slices in a file or a folder.

    Attributes:
        path: a TIFF of several pages, a NIfTI file (``.nii``, ``.nii.gz``) or a folder of pictures.
        shape: number of slices, their height and their width.
        slices: RGB bytes (H, W, 3), one after the other.
        save: writes such slices to another path of the same kind, whole or not at all.
        scratch: a folder on whose disk there is room for work on it; None is the one it lies in.
    """

    path: Path
    shape: tuple[int, int, int]
    slices: Callable[[], Slices]
    save: Callable[[Path, Slices], None]
    scratch: Path | None = None


def open_volume(path: Path, max_pixels: int) -> Volume:
    """The volume in a file or a folder.

    Args:
        path: see ``Volume``.
        max_pixels: slices with more are rejected.

    Raises:
        FastTransferError: there is none, or its slices differ in size.
    """
    if is_folder(path):
        return _open_folder(path, max_pixels)
    if path.name.lower().endswith((".nii", ".nii.gz")):
        return _open_nifti(path, max_pixels)
    if path.suffix.lower() in (".tif", ".tiff"):
        return _open_tiff(path, max_pixels)
    raise FastTransferError(
        f"{path} is no volume; give a TIFF of several pages, a NIfTI file (.nii, .nii.gz) or a "
        "folder with a picture for each slice"
    )


def _open_folder(path: Path, max_pixels: int) -> Volume:
    files = list(pictures_below(path))
    if not files:
        raise FastTransferError(f"there are no pictures in the folder {path}")

    def read(file: Path) -> np.ndarray:
        return np.asarray(open_image(file, max_pixels=max_pixels).image.convert("RGB"))

    height, width, _ = read(files[0]).shape

    def slices() -> Slices:
        return (_same_size(read(file), (height, width), file) for file in files)

    def save(target: Path, pictures: Slices) -> None:
        names = [file.relative_to(path).with_suffix(".png") for file in files]
        if len(set(names)) < len(names):
            raise FastTransferError(f"{path} has two slices of one name with different endings")
        with scratch_folder(target.parent) as part:
            folder = part / target.name
            for name, pixels in zip(names, pictures, strict=True):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(folder / name)
            if not target.exists():
                folder.rename(target)
                return
            for name in names:  # what else is there stays
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).replace(target / name)

    return Volume(path, (len(files), height, width), slices, save)


def _open_tiff(path: Path, max_pixels: int) -> Volume:
    sizes = [image.size for image in open_pages(path, max_pixels=max_pixels)]
    width, height = sizes[0]

    def slices() -> Slices:
        for image in open_pages(path, max_pixels=max_pixels):
            yield _same_size(np.asarray(image), (height, width), path)

    def save(target: Path, pictures: Slices) -> None:
        # A compressed BigTIFF is not among what Pillow writes, though it takes both settings.
        big = len(sizes) * height * width * 3 > _CLASSIC
        form: Any = {"big_tiff": True} if big else {"compression": "tiff_adobe_deflate"}
        # Its save_all= would hold all pages before it writes one.
        with whole_file(target) as temporary, AppendingTiffWriter(temporary, new=True) as file:
            for pixels in pictures:
                Image.fromarray(pixels).save(file, "TIFF", **form)
                file.newFrame()

    return Volume(path, (len(sizes), height, width), slices, save)


def _open_nifti(path: Path, max_pixels: int) -> Volume:
    nibabel: Any = require("nibabel", "volumes", "a NIfTI file")
    if not is_file(path):
        raise FastTransferError(f"{path} does not exist; check the spelling")
    with _reading(path):
        # Kept open, a compressed file is read on from slice to slice, and not each time from its start.
        image = nibabel.load(path, keep_file_open=True)
        data = image.dataobj
        shape = _nifti_shape(path, data, max_pixels)
        colored = _slice_of(data, 0).dtype.names is not None
        black, white = (0.0, 0.0) if colored else _window(data, shape[2])

    # A NIfTI array is (x, y, z); slices are across z, as (y, x) with y upward.
    def slices() -> Slices:
        for number in range(shape[2]):
            with _reading(path):
                values = _slice_of(data, number)
            if colored:
                pixels = np.stack([values[c] for c in (values.dtype.names or ())[:3]], axis=-1)
            else:
                scaled = (np.nan_to_num(values.astype(np.float64)) - black) / (white - black or 1)
                pixels = np.repeat((scaled.clip(0, 1) * 255).round()[..., None], 3, axis=-1)
            yield pixels.astype(np.uint8).transpose(1, 0, 2)[::-1]

    def save(target: Path, pictures: Slices) -> None:
        color = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
        voxels = np.empty(shape, color)
        for number, pixels in enumerate(pictures):
            plane = np.ascontiguousarray(pixels[::-1].transpose(1, 0, 2))
            voxels[:, :, number] = plane.view(color)[..., 0]
        with scratch_folder(target.parent) as folder, whole_file(target) as temporary:
            made = folder / f"volume{''.join(endings(target))}"  # nibabel goes by the ending
            nibabel.save(nibabel.Nifti1Image(voxels, image.affine), made)
            made.replace(temporary)

    return Volume(path, (shape[2], shape[1], shape[0]), slices, save)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Catches what nibabel answers damaged files with: nearly every exception there is."""
    try:
        yield
    except FastTransferError:
        raise
    except Exception as error:
        raise FastTransferError(f"{path} is damaged or no NIfTI file ({brief(error)})") from error


def _nifti_shape(path: Path, data: Any, max_pixels: int) -> tuple[int, int, int]:
    """Width, height, and number of slices.

    Raises:
        FastTransferError: these are not three, or not within bounds.
    """
    if len(data.shape) < 3:
        raise FastTransferError(f"{path} has {len(data.shape)} dimensions instead of 3")
    width, height, number = (int(side) for side in data.shape[:3])
    if min(data.shape) < 1:
        sides = "×".join(map(str, data.shape))
        raise FastTransferError(f"{path} is damaged: its header announces {sides} voxels")
    if width * height > max_pixels:
        raise FastTransferError(
            f"{path} has slices of {width}×{height} pixels, more than max_pixels={max_pixels}"
        )
    return width, height, number


def _slice_of(data: Any, number: int) -> np.ndarray:
    """(x, y) across z; of several scans over time the first."""
    place = (slice(None), slice(None), number, *(0 for _ in data.shape[3:]))
    return np.asarray(data[place])


def _window(data: Any, slices: int) -> tuple[float, float]:
    """The values that become black and white."""
    seen = [_slice_of(data, number) for number in range(0, slices, _SAMPLE)]
    low, high = np.nanpercentile(np.stack(seen), _WINDOW)
    return float(low), float(high)


def _same_size(pixels: np.ndarray, size: tuple[int, int], path: Path) -> np.ndarray:
    if pixels.shape[:2] != size:
        raise FastTransferError(
            f"{path} has a slice of {pixels.shape[1]}×{pixels.shape[0]} pixels, and the first one "
            f"{size[1]}×{size[0]}"
        )
    return pixels


def endings(path: Path) -> list[str]:
    """The ending that gives the kind of a file: ``.tif``, or ``.nii`` and ``.gz``."""
    return path.suffixes[-2:] if path.name.lower().endswith(".nii.gz") else path.suffixes[-1:]
