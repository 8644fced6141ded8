"""How files are read and written."""

from dataclasses import dataclass, field

from ..core.errors import FastTransferError
from ..core.values import number, whole_number
from ..large.settings import TileSettings
from ..stylizing.settings import MaskSettings, SteadySettings
from ..video.settings import VideoSettings

METADATA = ("keep", "none")


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
        damaged_up_to: how much of a damaged picture may be missing, as a part of its pixels; 0: damaged
            pictures fail.
        metadata: ``keep`` date, place, camera, author and resolution of pictures, or ``none``.
        mask: which part of them is stylized.
        steady: whether strokes of videos stay where they are.
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
    damaged_up_to: float = 0.5
    metadata: str = "keep"
    mask: MaskSettings = MaskSettings()
    steady: SteadySettings = field(default_factory=SteadySettings)
    workers: int = 2

    def __post_init__(self) -> None:
        whole_number("quality", self.quality, 1, 100)
        whole_number("max_pixels", self.max_pixels, 1)
        whole_number("workers", self.workers, 1)
        number("damaged_up_to", self.damaged_up_to, 0, 1.01)
        if self.metadata not in METADATA:
            raise FastTransferError(
                f"metadata={self.metadata} must be one of {', '.join(METADATA)}"
            )
