"""Picture files as arrays on disk and back: large ones by libvips, a few rows at a time."""

import errno
import math
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..core.errors import FastTransferError, brief
from ..core.files import whole_file
from ..core.libraries import is_installed, require
from ..core.memory import available_memory
from ..images.decoding import open_image
from ..images.decoding.vips import open_by_vips, vips_loader
from ..images.metadata import NO_METADATA, Metadata
from ..images.reading import on_white
from ..images.regions import Region
from ..images.sizes import fitted, resized
from ..images.writing import WITHOUT_ALPHA, write_image, writer_of
from .planes import Plane

# Pixels up to which a picture is read and written by Pillow, as all others are, and held for it in
# memory, a byte for each of its channels.
HELD = 30_000_000

_KINDS = ("PNG", "JPEG", "WEBP", "TIFF")  # what is read and written by libvips
_LONGEST = {"JPEG": 65_535, "WEBP": 16_383}  # pixels a side that a format can hold
_TILE = 512  # pixels a side in TIFF
_SALVAGING = 16  # bytes for each pixel of a damaged picture: Pillow decodes it twice


@dataclass(frozen=True)
class Unpacked:
    """A picture as an array on disk, with the ``notes`` and the ``damage`` of ``Decoded``."""

    plane: Plane
    notes: tuple[str, ...] = ()
    damage: str | None = None


def unpack(
    path: Path,
    target: Path,
    *,
    size: tuple[int, int],
    longer: int | None,
    max_pixels: int,
    damaged_up_to: float = 0.0,
) -> Unpacked:
    """Writes a picture file as bytes (H, W, 3) or (H, W, 4), sRGB and upright.

    Args:
        path: a picture file.
        target: the array's file, which appears whole.
        size: width and height of the picture.
        longer: side in pixels to reduce or enlarge it to; None leaves it.
        max_pixels: see ``open_image``.
        damaged_up_to: see ``open_image``.

    Raises:
        FastTransferError: the picture cannot be read, or the disk is full.
    """
    made = size if longer is None else fitted(size, longer)
    with whole_file(target, part=target.with_name("unpacked")) as temporary:
        is_large = _by_vips(size) or _by_vips(made)
        damage = None
        if is_large and (loader := vips_loader(path)) is not None:
            try:
                shape, notes = _unpack_by_vips(path, loader, temporary, longer)
            except FastTransferError as error:
                if damaged_up_to == 0:
                    raise
                _check_memory(max(size, made, key=math.prod), error)
                shape, notes, damage = _unpack_by_pillow(
                    path, temporary, longer, max_pixels, damaged_up_to
                )
        elif made[0] * made[1] > max_pixels:
            raise FastTransferError(
                f"{path} would be enlarged to {made[0]}×{made[1]} pixels, more than "
                f"max_pixels={max_pixels}, which needs a TIFF, JPEG, PNG or WebP file and libvips: "
                'python -m pip install "fasttransfer[large]"'
            )
        else:
            shape, notes, damage = _unpack_by_pillow(
                path, temporary, longer, max_pixels, damaged_up_to
            )
    return Unpacked(Plane(target, shape, "uint8"), notes, damage)


def too_wide(path: Path, size: tuple[int, int]) -> str | None:
    """Why a picture of this width and height cannot be written to ``path``, if so."""
    longest = _LONGEST.get(writer_of(path))
    if longest is None or max(size) <= longest:
        return None
    return (
        f"{path} cannot be written: {size[0]}×{size[1]} pixels are more a side than the {longest} "
        f"that {path.suffix} holds; write an output= that ends in .tif or .png"
    )


def pack(plane: Plane, path: Path, quality: int, metadata: Metadata = NO_METADATA) -> None:
    """Writes an array (H, W, 3) or (H, W, 4) as a picture file, whole or not at all.

    Raises:
        FastTransferError: it cannot be written.
    """
    height, width, channels = plane.shape
    kind = writer_of(path)
    if _by_vips((width, height)) and kind in _KINDS:
        _pack_by_vips(plane, path, quality, metadata)
        return
    pixels = plane.read(Region(0, height, 0, width))
    image = Image.fromarray(pixels)
    if channels == 4 and kind in WITHOUT_ALPHA:
        image = on_white(image)
    write_image(path, image, quality, metadata)


def _by_vips(size: tuple[int, int]) -> bool:
    return size[0] * size[1] > HELD and is_installed("pyvips")


def _check_memory(size: tuple[int, int], error: FastTransferError) -> None:
    """Raises FastTransferError for a damaged picture of which nothing can be taken."""
    if _SALVAGING * math.prod(size) > available_memory():
        raise FastTransferError(
            f"{error}, and what is left of {size[0]}×{size[1]} pixels does not fit into memory"
        ) from error


def _unpack_by_pillow(
    path: Path, target: Path, longer: int | None, max_pixels: int, damaged_up_to: float
) -> tuple[tuple[int, int, int], tuple[str, ...], str | None]:
    found = open_image(path, max_pixels=max_pixels, min_side=longer, damaged_up_to=damaged_up_to)
    image = found.image if longer is None else resized(found.image, longer)
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")  # fully opaque
    pixels = np.asarray(image)
    target.write_bytes(pixels.tobytes())
    return (image.height, image.width, len(image.getbands())), found.notes, found.damage


def _unpack_by_vips(
    path: Path, loader: str, target: Path, longer: int | None
) -> tuple[tuple[int, int, int], tuple[str, ...]]:
    vips: Any = require("pyvips", "large", "a large picture")
    colors, notes = open_by_vips(path, loader)
    if longer is not None:
        width, height = fitted((colors.width, colors.height), longer)
        colors = colors.resize(width / colors.width, vscale=height / colors.height)
    try:
        colors.rawsave(str(target))
    except vips.Error as error:  # reading or writing, as both are done now
        written = target.stat().st_size if target.exists() else 0  # it may not have got that far
        needed = colors.height * colors.width * colors.bands - written
        if shutil.disk_usage(target.parent).free < needed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise FastTransferError(f"{path} is damaged or cut short ({brief(error)})") from error
    return (colors.height, colors.width, colors.bands), notes


def _pack_by_vips(plane: Plane, path: Path, quality: int, metadata: Metadata) -> None:
    kind = writer_of(path)
    vips: Any = require("pyvips", "large", "a large picture")
    channels = plane.shape[2]
    try:
        image = _in_strips(vips, plane).copy(interpretation="srgb")
        if channels == 4 and kind in WITHOUT_ALPHA:
            image = image.flatten(background=255)
        image = metadata.on_vips(vips, image)
        with whole_file(path, part=plane.path.with_name("packed")) as temporary:
            if kind == "PNG":
                image.pngsave(str(temporary))
            elif kind == "JPEG":
                image.jpegsave(str(temporary), Q=quality, subsample_mode="off")
            elif kind == "WEBP":
                image.webpsave(str(temporary), Q=quality)
            else:  # tiled, with smaller copies, as viewers of large pictures want it
                tiles = {"tile": True, "tile_width": _TILE, "tile_height": _TILE}
                image.tiffsave(
                    str(temporary), compression="deflate", pyramid=True, bigtiff=True, **tiles
                )
    except vips.Error as error:
        raise FastTransferError(f"{path} cannot be written ({brief(error)})") from error


def _in_strips(vips: Any, plane: Plane) -> Any:
    """The array as a picture.

    libvips maps files into memory and releases what it has read only when it is done with a file; so
    each strip is a file of its own to it.
    """
    height, width, channels = plane.shape
    strips = [
        vips.Image.rawload(str(plane.path), width, height, channels, access="sequential").crop(
            0, top, width, min(_TILE, height - top)
        )
        for top in range(0, height, _TILE)
    ]
    return vips.Image.arrayjoin(strips, across=1).crop(0, 0, width, height)
