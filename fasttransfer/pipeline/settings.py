"""How files are read and written."""

from dataclasses import dataclass

from ..core.values import whole_number
from ..large.settings import TileSettings
from ..video.settings import VideoSettings


@dataclass(frozen=True)
class MediaSettings:
    """How files are read and written.

    Args:
        tiling: which pictures are stylized in tiles, and how.
        video: how videos are encoded.
        size: longer side in pixels that results will have; None is the pictures' own. Larger JPEGs
            are then decoded at a reduced size.
        overwrite: replace outputs that exist.
        quality: 1 to 100, of formats that lose something.
        max_pixels: pictures and frames with more are rejected.
        workers: threads that read, and as many that write; each holds a few pictures at most.

    Raises:
        FastTransferError: a setting that cannot be used.
    """

    tiling: TileSettings
    video: VideoSettings
    size: int | None = None
    overwrite: bool = False
    quality: int = 92
    max_pixels: int = 200_000_000
    workers: int = 2

    def __post_init__(self) -> None:
        whole_number("quality", self.quality, 1, 100)
        whole_number("max_pixels", self.max_pixels, 1)
        whole_number("workers", self.workers, 1)
