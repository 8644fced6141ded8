"""Pictures of three dimensions: stacks of slices, stylized along every axis.

A network for pictures knows nothing of the slice before: stylized one by one, neighbouring slices
differ in every stroke. So the volume is cut along each of its three axes, every cut is stylized, and
each voxel is the mean of the three pictures it lies in. Two of these run across the slices of the
third, so neighbours agree.
"""

import glob
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from rich.console import Console

from .checkpoint import safe_name
from .decode import brief, open_image, open_pages
from .errors import FastTransferError
from .extras import need
from .files import whole_file
from .large import TileSettings, stylize_plane
from .plan import in_shard, is_glob, pictures_below
from .planes import Plane, Region
from .report import Report

if TYPE_CHECKING:
    from .stylize import Stylizer

THIN = 16  # pixels a side, below which a cut shows too little to be stylized
_WINDOW = (0.5, 99.5)  # percentiles of a scan's values that become black and white
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
    """

    path: Path
    shape: tuple[int, int, int]
    slices: Callable[[], Slices]
    save: Callable[[Path, Slices], None]


def stylize_volumes(
    inputs: list[str],
    output: str | None,
    stylizers: "list[Stylizer]",
    report: Report,
    *,
    overwrite: bool,
    max_pixels: int,
    shard: str | None,
    tiling: TileSettings,
) -> None:
    """Stylizes volumes into others of the same kind.

    What is in memory is one slice and its stylized picture, and of a TIFF or NIfTI file the result as
    bytes while it is written; the rest lies in a temporary folder beside the output, nine bytes a voxel.

    Args:
        inputs: files or folders, see ``Volume``, or patterns of such.
        output: a path of the same kind, if there is one input and one style; None puts the result
            beside the input, named after the style.
        stylizers: what is done to the cuts.
        report: is told of what is done, skipped or cannot be done.
        overwrite: do outputs again that are there already.
        max_pixels: slices with more are refused.
        shard: ``i/n`` does only the i-th of n parts of the inputs; None does all.
        tiling: which cuts are stylized in tiles, and how.

    Raises:
        FastTransferError: no inputs, or ``output`` for several results.
    """
    inputs = _named(inputs)
    if output is not None and len(inputs) * len(stylizers) > 1:
        raise FastTransferError(
            f"output={output} is one volume and there would be {len(inputs) * len(stylizers)}; leave "
            "it out, and they will be beside the inputs"
        )
    if any(stylizer.size is not None for stylizer in stylizers):
        raise FastTransferError(
            "size= does not go with volume=true; make the slices as large before"
        )
    chosen = in_shard(shard) if shard is not None else lambda _: True
    for path in (path for path in map(Path, inputs) if chosen(Path(path.name))):
        for stylizer in stylizers:
            target = Path(output).expanduser() if output else _beside(path, stylizer.name)
            if target.exists() and not overwrite:
                report.skipped.append(target)
                continue
            try:
                volume = open_volume(path, max_pixels)
                _check_target(volume, target)
                stylize_volume(volume, target, stylizer, tiling, report)
            except FastTransferError as error:
                report.fail(path, error)
            else:
                report.done.append(target)


def _named(inputs: list[str]) -> list[str]:
    """What people typed, without ~ and patterns."""
    found = []
    for name in map(os.path.expanduser, inputs):
        some = [name]
        if is_glob(name):
            some = sorted(glob.glob(name, recursive=True))
            if not some:
                raise FastTransferError(f"there is nothing that input={name} stands for")
        found += some
    if not found or "" in found:
        raise FastTransferError(
            "input= is missing; with volume=true write input=scan.nii.gz, input=stack.tif or "
            "input=slices/"
        )
    return found


def stylize_volume(
    volume: Volume, target: Path, stylizer: "Stylizer", tiling: TileSettings, report: Report
) -> None:
    """One volume into ``target``: the mean of what its cuts along each axis become.

    Raises:
        FastTransferError: it cannot be read or written.
    """
    axes = [axis for axis in range(3) if min(np.delete(volume.shape, axis)) >= THIN]
    if not axes:
        raise FastTransferError(
            f"{volume.path} has {'×'.join(map(str, volume.shape))} voxels, and cuts need {THIN} a side"
        )
    if len(axes) < 3:
        report.note(volume.path, f"is thin, so it is cut along {len(axes)} of its axes only")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory(dir=target.parent, prefix=".volume-") as folder:
            voxels = _Voxels(Path(folder, "voxels"), volume.shape, "uint8", volume.slices())
            none = np.zeros((*volume.shape[1:], 3))
            sums = _Voxels(Path(folder, "sums"), volume.shape, "uint16", repeat(none, len(voxels)))
            steps = sum(volume.shape[axis] for axis in axes)
            with report.steps(volume.path.name, steps, "cuts") as step:
                for axis in axes:
                    for number in range(volume.shape[axis]):
                        cut = voxels.cut(axis, number)
                        sums.add(axis, number, _stylized(cut, stylizer, tiling, Path(folder)))
                        step()
            means = (sums.cut(0, number) / len(axes) for number in range(len(voxels)))
            volume.save(target, (mean.round().astype(np.uint8) for mean in means))
    except (EOFError, zlib.error) as error:
        raise FastTransferError(f"{volume.path} is damaged ({brief(error)})") from error
    except OSError as error:
        raise FastTransferError(
            f"{target} cannot be written ({error.strerror or brief(error)})"
        ) from error


def _stylized(
    cut: np.ndarray, stylizer: "Stylizer", tiling: TileSettings, folder: Path
) -> np.ndarray:
    """RGB bytes (H, W, 3), in tiles on disk where a whole would take too much memory."""
    height, width, _ = cut.shape
    needed = stylizer.bytes_per_pixel
    most = None if needed is None else tiling.most_pixels(needed)
    if most is None or height * width <= most:
        return stylizer.frame(cut)
    with TemporaryDirectory(dir=folder) as work:
        whole = Region(0, height, 0, width)
        photo, result = (Plane(Path(work, name), cut.shape, "uint8") for name in ("photo", "made"))
        photo.write(whole, cut)
        quiet = Report(console=Console(quiet=True))
        stylize_plane(photo, result, stylizer, tiling, title="a cut", most=most, report=quiet)
        return result.read(whole)


class _Voxels:
    """(D, H, W, 3) in a file. It is mapped anew each time, since what stays mapped counts as memory of
    the process, and written once as a whole before: on a full disk a map would end the process."""

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: str, slices: Slices) -> None:
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


def open_volume(path: Path, max_pixels: int) -> Volume:
    """The volume in a file or a folder.

    Raises:
        FastTransferError: there is none, or its slices differ in size.
    """
    if path.is_dir():
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
        return np.asarray(open_image(file, max_pixels=max_pixels)[0].convert("RGB"))

    height, width, _ = read(files[0]).shape

    def slices() -> Slices:
        return (_same_size(read(file), (height, width), file) for file in files)

    def save(target: Path, pictures: Slices) -> None:
        names = [file.relative_to(path).with_suffix(".png") for file in files]
        if len(set(names)) < len(names):
            raise FastTransferError(f"{path} has two slices of one name with different endings")
        with TemporaryDirectory(dir=target.parent, prefix=".volume-") as part:
            folder = Path(part, target.name)
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
        first = Image.fromarray(next(pictures))
        rest = (Image.fromarray(pixels) for pixels in pictures)
        big = len(sizes) * height * width * 3 > 2**31
        with whole_file(target) as temporary:
            first.save(
                temporary,
                "TIFF",
                save_all=True,
                append_images=rest,
                compression="tiff_adobe_deflate",
                big_tiff=big,
            )

    return Volume(path, (len(sizes), height, width), slices, save)


def _open_nifti(path: Path, max_pixels: int) -> Volume:
    nibabel: Any = need("nibabel", "volumes", "a NIfTI file")
    if not path.is_file():
        raise FastTransferError(f"{path} does not exist; check the spelling")
    try:
        # Kept open, a compressed file is read on from slice to slice, and not each time from its start.
        image = nibabel.load(path, keep_file_open=True)
        data = image.dataobj
        if len(data.shape) < 3:
            raise FastTransferError(f"{path} has {len(data.shape)} dimensions instead of 3")
        shape = tuple(int(side) for side in data.shape[:3])
        if shape[0] * shape[1] > max_pixels:
            raise FastTransferError(
                f"{path} has slices of {shape[0]}×{shape[1]} pixels, more than max_pixels={max_pixels}"
            )
        coloured = _slice_of(data, 0).dtype.names is not None
        black, white = (0.0, 0.0) if coloured else _window(data, shape[2])
    except (OSError, ValueError, EOFError, nibabel.filebasedimages.ImageFileError) as error:
        raise FastTransferError(f"{path} is damaged or no NIfTI file ({brief(error)})") from error

    # A NIfTI array is (x, y, z); slices are across z, as (y, x) with y upwards.
    def slices() -> Slices:
        for number in range(shape[2]):
            values = _slice_of(data, number)
            if coloured:
                pixels = np.stack([values[c] for c in (values.dtype.names or ())[:3]], axis=-1)
            else:
                scaled = (np.nan_to_num(values.astype(np.float64)) - black) / (white - black or 1)
                pixels = np.repeat((scaled.clip(0, 1) * 255).round()[..., None], 3, axis=-1)
            yield pixels.astype(np.uint8).transpose(1, 0, 2)[::-1]

    def save(target: Path, pictures: Slices) -> None:
        colour = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
        voxels = np.empty(shape, colour)
        for number, pixels in enumerate(pictures):
            plane = np.ascontiguousarray(pixels[::-1].transpose(1, 0, 2))
            voxels[:, :, number] = plane.view(colour)[..., 0]
        with whole_file(target) as temporary:
            made = temporary.with_name(f"{temporary.name}{''.join(_endings(target))}")
            try:
                nibabel.save(nibabel.Nifti1Image(voxels, image.affine), made)
                made.replace(temporary)
            finally:
                made.unlink(missing_ok=True)

    return Volume(path, (shape[2], shape[1], shape[0]), slices, save)


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


def _endings(path: Path) -> list[str]:
    return path.suffixes[-2:] if path.name.lower().endswith(".nii.gz") else path.suffixes[-1:]


def _beside(path: Path, style: str) -> Path:
    ending = "" if path.is_dir() else "".join(_endings(path))
    path = path.resolve() if path.name in ("", "..") else path  # the folder that “.” stands for
    stem = path.name[: len(path.name) - len(ending)]
    return path.with_name(f"{stem}-{safe_name(style)}{ending}")


def _check_target(volume: Volume, target: Path) -> None:
    """A file becomes a file of its kind, a folder a folder."""
    wanted = [] if volume.path.is_dir() else _endings(volume.path)
    if [e.lower() for e in _endings(target)] != [e.lower() for e in wanted]:
        kind = "".join(wanted) or "a folder"
        raise FastTransferError(
            f"{volume.path} becomes {kind}; write such an output=, not {target}"
        )
    source, place = volume.path.resolve(), target.resolve()
    if source == place or source in place.parents or place in source.parents:
        raise FastTransferError(f"{target} is the input, or holds it; choose another output=")
