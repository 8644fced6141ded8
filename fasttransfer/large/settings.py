"""When pictures are stylized in tiles, and how."""

from dataclasses import dataclass

import torch

from ..core.errors import FastTransferError
from ..core.memory import available_memory
from ..core.values import whole_number

TILES = ("auto", "exact", "thumbnail", "off")
SHARE = 0.5  # of what is available, for one picture; others are read and written meanwhile
LEAST, MOST = 200_000_000, 16_000_000_000  # bytes for one picture, whatever is available


@dataclass(frozen=True)
class TileSettings:
    """When pictures are stylized in tiles, and how.

    Args:
        tiles: ``off``: never. ``exact``: with the statistics of the whole picture, so that the result
            is that of the whole. ``thumbnail``: with those of a small copy, which is faster and
            requires no room on the disk. ``auto``: pictures within ``memory`` as a whole, larger ones
            exactly if there is room on the disk of the output, else by a thumbnail.
        memory: bytes that stylizing one picture as a whole may take; None: half of what the device has
            available, within the limit of the container, and at most 16 GB.
        tile: side in pixels.
        thumbnail: longer side of the small copy in pixels.

    Raises:
        FastTransferError: a setting that cannot be used.
    """

    tiles: str
    memory: int | None
    tile: int
    thumbnail: int

    def __post_init__(self) -> None:
        if self.tiles not in TILES:
            raise FastTransferError(f"tiles={self.tiles} must be one of {', '.join(TILES)}")
        if self.memory is not None:
            whole_number("tiling.memory", self.memory, 1)
        whole_number("tiling.tile", self.tile, 64)
        whole_number("tiling.thumbnail", self.thumbnail, 64)

    def most_pixels(self, bytes_per_pixel: float, device: torch.device) -> int | None:
        """Of a picture that is stylized as a whole on ``device``; None: of any."""
        if self.tiles == "off":
            return None
        return self.fitting_pixels(bytes_per_pixel, device) if self.tiles == "auto" else 0

    def fitting_pixels(self, bytes_per_pixel: float, device: torch.device) -> int:
        """Of a picture that is stylized within ``memory``."""
        memory = self.memory
        if memory is None:
            memory = min(MOST, max(LEAST, int(SHARE * _available(device))))
        return int(memory / bytes_per_pixel)


def _available(device: torch.device) -> int:
    """Bytes of memory that the device has free."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return available_memory()
