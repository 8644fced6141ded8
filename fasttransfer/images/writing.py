"""Writing pictures to files, in the format that the ending of the name stands for."""

import io
from pathlib import Path
from typing import Any

import torch
from PIL import Image, features
from torch import Tensor

from ..core.errors import FastTransferError, brief
from ..core.files import write_whole
from .metadata import NO_METADATA, Metadata
from .tensors import to_pil

WRITERS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
} | ({".avif": "AVIF"} if features.check("avif") else {})

WITHOUT_ALPHA = ("JPEG", "BMP")


def write_picture(
    path: Path,
    rgb: Tensor,
    alpha: Tensor | None,
    quality: int,
    metadata: Metadata = NO_METADATA,
) -> None:
    """Writes a picture in the format that the ending of ``path`` names, whole or not at all.

    Args:
        rgb: (3, H, W); clamped to [0, 1] and rounded to 8 bits.
        alpha: (1, H, W) in [0, 1] or None; JPEG and BMP have none and get a white background.
        quality: 1 to 100, of the formats that lose something (JPEG, WebP, AVIF).
        metadata: what the file says beside its pixels, as far as its format can hold it.

    Raises:
        FastTransferError: unknown ending, or the file cannot be written.
    """
    if alpha is not None and writer_of(path) in WITHOUT_ALPHA:
        rgb, alpha = rgb.clamp(0, 1) * alpha + (1 - alpha), None
    write_image(path, to_pil(rgb if alpha is None else torch.cat((rgb, alpha))), quality, metadata)


def write_image(
    path: Path, image: Image.Image, quality: int, metadata: Metadata = NO_METADATA
) -> None:
    """``write_picture`` of a picture in mode RGB or, if the format has transparency, RGBA."""
    kind = writer_of(path)
    options: dict[str, Any] = {"quality": quality}
    if kind == "JPEG":
        options["subsampling"] = 0  # strokes have hard edges in color, which 4:2:0 would smear
    elif kind == "TIFF":
        options = {"compression": "tiff_adobe_deflate"}
    elif kind == "PNG":
        options = {"compress_level": 1}  # a third of the time for a fifteenth more bytes
    try:
        options |= metadata.options(kind, image.size)
        write_whole(path, lambda file: file.write(_encoded(image, kind, options, metadata)))
    except (OSError, ValueError) as error:  # ValueError: more pixels a side than the format holds
        raise FastTransferError(f"{path} cannot be written ({brief(error)})") from error


def _encoded(image: Image.Image, kind: str, options: dict[str, Any], metadata: Metadata) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return metadata.in_tiff(file.getvalue()) if kind == "TIFF" else file.getvalue()


def writer_of(path: Path) -> str:
    """Pillow's name of the format that the ending of ``path`` stands for."""
    try:
        return WRITERS[path.suffix.lower()]
    except KeyError:
        raise FastTransferError(
            f"{path} cannot be written: its ending is {path.suffix or 'missing'!r} and must be one "
            f"of {' '.join(WRITERS)}"
        ) from None
