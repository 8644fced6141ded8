"""Whatever a picture file holds, as 8-bit sRGB, upright: the odd kinds of files end here."""

from .opening import Decoded, InMemory, Openable, open_image, open_pages, read_metadata, read_size

__all__ = [
    "Decoded",
    "InMemory",
    "Openable",
    "open_image",
    "open_pages",
    "read_metadata",
    "read_size",
]
