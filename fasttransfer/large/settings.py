"""When pictures are stylized in tiles, and how."""

from dataclasses import dataclass

from ..core.errors import FastTransferError

TILES = ("auto", "exact", "thumbnail", "off")


@dataclass(frozen=True)
class TileSettings:
    """When pictures are stylized in tiles, and how.

    Args:
        tiles: ``off``: never. ``exact``: with the statistics of the whole picture, so that the result
            is that of the whole. ``thumbnail``: with those of a small copy, which is faster and
            needs no room on the disk. ``auto``: pictures within ``memory`` as a whole, larger ones
            exactly if there is room on the disk of the output, else by a thumbnail.
        memory: bytes that stylizing one picture as a whole may take.
        tile: side in pixels.
        thumbnail: longer side of the small copy in pixels.
    """

    tiles: str
    memory: int
    tile: int
    thumbnail: int

    def __post_init__(self) -> None:
        if self.tiles not in TILES:
            raise FastTransferError(f"tiles={self.tiles} must be one of {', '.join(TILES)}")
        for name, value, least in (
            ("memory", self.memory, 1),
            ("tile", self.tile, 64),
            ("thumbnail", self.thumbnail, 64),
        ):
            if not isinstance(value, int) or value < least:
                raise FastTransferError(
                    f"tiling.{name}={value} must be a whole number from {least} on"
                )

    def most_pixels(self, bytes_per_pixel: float) -> int | None:
        """Of a picture that is stylized as a whole; None: of any."""
        if self.tiles == "off":
            return None
        return int(self.memory / bytes_per_pixel) if self.tiles == "auto" else 0
