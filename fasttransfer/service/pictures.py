"""One request: what it asks for, and the picture that answers it."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..core.errors import FastTransferError
from ..core.scratch import scratch_folder
from ..images.decoding import read_size
from ..live.photos import NAME, stylized_file
from ..pipeline.settings import MediaSettings
from ..stylizing.settings import MaskSettings
from .styles import OfferedStyles

MASK = "the mask"
MOST_SIZE = 8192  # longer side of a result in pixels


class TooLargeError(FastTransferError):
    """A picture of more pixels than the service takes."""


class Asked(BaseModel):
    """What is done to a picture; what is absent is as the style has it."""

    model_config = ConfigDict(extra="forbid")
    style: str = Field(max_length=500, description="A style, or a blend: mosaic:0.6,udnie:0.4")
    strength: float = Field(default=1.0, ge=0, le=1, description="0 is the photo, 1 the full style")
    color: Literal["style", "content"] = Field(
        default="style", description="content keeps the photo's"
    )
    size: int | None = Field(default=None, ge=16, le=MOST_SIZE, description="Longer side in pixels")
    format: Literal["jpeg", "png", "webp"] | None = Field(default=None, description="Of the answer")
    feather: int = Field(
        default=2, ge=0, le=1000, description="Pixels over which the mask is softened"
    )
    invert: bool = Field(default=False, description="Exchanges white and black of the mask")


def answer(
    picture: BinaryIO,
    mask: BinaryIO | None,
    asked: Asked,
    styles: OfferedStyles,
    media: MediaSettings,
) -> tuple[bytes, str]:
    """The stylized picture as a file, and its media type.

    Args:
        picture: the file.
        mask: another one, white where the picture is stylized; None: everywhere.
        asked: what is done.
        styles: what is offered.
        media: how pictures are read and written.

    Raises:
        TooLargeError: the picture, the mask, or the result has too many pixels.
        FastTransferError: a style that is not offered, or a file that is no picture or is damaged.
    """
    with scratch_folder() as folder:
        path = _kept(picture, folder / NAME, media.max_pixels)
        masking = MaskSettings()
        if mask is not None:
            kept = _kept(mask, folder / MASK, media.max_pixels)
            masking = MaskSettings(path=str(kept), feather=asked.feather, invert=asked.invert)
        settings = {"strength": asked.strength, "color": asked.color, "size": asked.size}
        stylizer = styles.stylizer(asked.style).with_settings(**settings)
        own = replace(media, mask=masking, size=asked.size, overwrite=True, workers=1)
        try:
            return stylized_file(path, stylizer, own, asked.format)
        except FastTransferError as error:  # a client does not see where its file was
            raise FastTransferError(str(error).replace(f"{folder}/", "")) from None


def _kept(sent: BinaryIO, path: Path, most: int) -> Path:
    """Writes a file that was sent to ``path``, and looks at its header."""
    with path.open("wb") as file:
        shutil.copyfileobj(sent, file)
    try:
        width, height = read_size(path, max_pixels=10**12)
    except FastTransferError as error:
        raise FastTransferError(str(error).replace(str(path), path.name)) from None
    if width * height > most:
        raise TooLargeError(
            f"{path.name} has {width}×{height} pixels, more than the {most} that this service takes"
        )
    return path
