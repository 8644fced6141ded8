"""Pictures of three dimensions: stacks of slices, stylized along every axis.

A network for pictures knows nothing of the slice before: stylized one by one, neighbouring slices
differ in every stroke. So the volume is cut along each of its three axes, every cut is stylized, and
each voxel is the mean of the three pictures it lies in. Two of these run across the slices of the
third, so neighbours agree.
"""

import glob
import os
import zlib
from functools import partial
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from ..core.errors import FastTransferError, brief
from ..core.progress import Report
from ..images.regions import Region
from ..large.planes import Plane
from ..large.settings import TileSettings
from ..large.stylizer import stylize_plane
from ..models.style_file import safe_name
from ..pipeline.planning import in_shard, is_glob
from .files import Slices, Volume, endings, open_volume

if TYPE_CHECKING:
    from ..stylizing.stylizer import Stylizer


THIN = 16  # pixels a side, below which a cut shows too little to be stylized


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

    What is in memory is one slice and its stylized picture, and of a NIfTI file the result as bytes
    while it is written; the rest lies in a temporary folder beside the output, nine bytes a voxel.

    Args:
        inputs: files or folders, see ``files.Volume``, or patterns of such.
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
    if any(stylizer.settings.size is not None for stylizer in stylizers):
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


def _beside(path: Path, style: str) -> Path:
    ending = "" if path.is_dir() else "".join(endings(path))
    path = path.resolve() if path.name in ("", "..") else path  # the folder that “.” stands for
    stem = path.name[: len(path.name) - len(ending)]
    return path.with_name(f"{stem}-{safe_name(style)}{ending}")


def _check_target(volume: Volume, target: Path) -> None:
    """A file becomes a file of its kind, a folder a folder."""
    wanted = [] if volume.path.is_dir() else endings(volume.path)
    if [e.lower() for e in endings(target)] != [e.lower() for e in wanted]:
        kind = "".join(wanted) or "a folder"
        raise FastTransferError(
            f"{volume.path} becomes {kind}; write such an output=, not {target}"
        )
    source, place = volume.path.resolve(), target.resolve()
    if source == place or source in place.parents or place in source.parents:
        raise FastTransferError(f"{target} is the input, or holds it; choose another output=")
