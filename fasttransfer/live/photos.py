"""Photos that a page sends: stylized at full size as files are, and sent back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from ..core.errors import FastTransferError
from ..core.progress import Report
from ..core.scratch import scratch_folder
from ..images.decoding.formats import identify
from ..pipeline.jobs import Job
from ..pipeline.media import open_media
from ..pipeline.runner import stylize_all
from ..pipeline.settings import MediaSettings
from ..stylizing.settings import MaskSettings
from ..stylizing.stylizer import Stylizer
from .limits import OverQuotaError

MOST = 4  # photos that arrive, wait, or are stylized; a photo may take most of the memory
NAME = "the photo"
# What a camera takes comes back as JPEG; of the others, which may be drawings, nothing is lost.
_AS_JPEG = ("JPEG", "MPO", "HEIF", "RAW", "AVIF", "JPEG2000", "TIFF")


class Photos:
    """Stylizes photos, one after the other.

    Args:
        media: how they are read and written.
    """

    def __init__(self, media: MediaSettings) -> None:
        self._media = replace(media, overwrite=True, workers=1)
        self._turn = asyncio.Lock()
        self._here = 0

    async def answer(
        self, body: AsyncIterator[bytes], stylizer: Stylizer, mask: MaskSettings
    ) -> tuple[bytes, str]:
        """The stylized photo as a file, and its media type.

        Args:
            body: the file of the photo, piece by piece.
            stylizer: what is done to it.
            mask: where.

        Raises:
            FastTransferError: it is no picture, is damaged, or is too large, or the memory or the disk
                is full.
            OverQuotaError: too many photos are here.
        """
        if self._here >= MOST:
            async for _ in body:  # so that the client gets to see the answer
                pass
            raise OverQuotaError(f"{MOST} photos are being stylized; try again when one is done")
        self._here += 1
        try:
            with scratch_folder() as folder:
                path = folder / NAME
                with path.open("wb") as file:
                    async for piece in body:
                        file.write(piece)
                async with self._turn:
                    media = replace(self._media, mask=mask)
                    return await asyncio.to_thread(stylized_file, path, stylizer, media)
        except OSError as error:
            raise FastTransferError(f"the photo cannot be kept ({error.strerror})") from error
        finally:
            self._here -= 1


def stylized_file(
    path: Path, stylizer: Stylizer, media: MediaSettings, kind: str | None = None
) -> tuple[bytes, str]:
    """A picture file stylized as a file beside it: its contents, and its media type.

    Args:
        path: the picture.
        stylizer: what is done to it.
        media: how it is read and written.
        kind: ``jpeg``, ``png``, or ``webp``; None: what suits the picture.

    Raises:
        FastTransferError: it cannot be read, or not be stylized.
    """
    if kind is None:
        with path.open("rb") as file:
            kind = "jpeg" if identify(file, NAME).format in _AS_JPEG else "png"
    job = Job(path, path.with_name(f"stylized.{kind}"))
    report = Report(console=Console(quiet=True))
    for pipeline in open_media([job], stylizer, media, report):
        stylize_all(pipeline, report)
    if report.failures:
        raise FastTransferError(report.failures[0].replace(str(path), NAME))
    return job.output.read_bytes(), f"image/{kind}"
