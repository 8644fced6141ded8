"""How volumes are read and stylized."""

from dataclasses import dataclass

from ..core.values import whole_number
from ..large.settings import TileSettings


@dataclass(frozen=True)
class VolumeSettings:
    """How volumes are read and stylized.

    Args:
        tiling: which cuts are stylized in tiles, and how.
        overwrite: replace outputs that exist.
        max_pixels: slices with more are rejected.
        shard: ``i/n`` does only the i-th of n parts of the inputs; None does all.

    Raises:
        FastTransferError: a setting that cannot be used.
    """

    tiling: TileSettings
    overwrite: bool = False
    max_pixels: int = 200_000_000
    shard: str | None = None

    def __post_init__(self) -> None:
        whole_number("max_pixels", self.max_pixels, 1)
