"""TIFF files with several directories, byte by byte: what cameras write and Pillow does not."""

import struct
from collections.abc import Sequence
from typing import Any

Directory = tuple[dict[int, Any], bytes]
"""Tags, and the pixels. A value is a number, several, bytes, a text, or (type, count, bytes)."""

_STRIP, _ROWS, _COUNT, _CHILDREN = 273, 278, 279, 330


def linked_directories(*pages: Directory, children: Sequence[Directory] = ()) -> bytes:
    """A little-endian TIFF of these pages; ``children`` belong to the first one."""
    everything = [*pages, *children]
    places = [0] * len(everything)
    for _ in range(2):  # the second time with the places that the first one found
        contents = b""
        found = []
        for number, (tags, pixels) in enumerate(everything):
            start = 8 + len(contents)
            place = start + len(pixels) + len(pixels) % 2
            tags = tags | {_STRIP: start, _ROWS: tags[257], _COUNT: len(pixels)}
            if number == 0 and children:
                tags |= {_CHILDREN: tuple(places[len(pages) :])}
            following = places[number + 1] if number + 1 < len(pages) else 0
            contents += pixels + bytes(len(pixels) % 2) + _directory(tags, place, following)
            found.append(place)
        places = found
    return b"II*\0" + struct.pack("<I", places[0]) + contents


def _directory(tags: dict[int, Any], place: int, following: int) -> bytes:
    body, data = struct.pack("<H", len(tags)), b""
    after = place + 2 + 12 * len(tags) + 4
    for tag, value in sorted(tags.items()):
        kind, count, packed = _packed(value)
        if len(packed) > 4:
            at = struct.pack("<I", after + len(data))
            data += packed + bytes(len(packed) % 2)
            packed = at
        body += struct.pack("<HHI", tag, kind, count) + packed.ljust(4, b"\0")
    return body + struct.pack("<I", following) + data


def _packed(value: Any) -> tuple[int, int, bytes]:
    if isinstance(value, bytes):
        return 1, len(value), value
    if isinstance(value, str):
        return 2, len(value) + 1, value.encode() + b"\0"
    if isinstance(value, tuple) and len(value) == 3 and isinstance(value[2], bytes):
        return value
    values = value if isinstance(value, tuple) else (value,)
    if max(values) < 2**16:
        return 3, len(values), struct.pack(f"<{len(values)}H", *values)
    return 4, len(values), struct.pack(f"<{len(values)}I", *values)
