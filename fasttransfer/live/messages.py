"""What goes over the web socket for each picture.

4 bytes, the length of the header (little-endian); the header, JSON with ``state`` of the session
and, if there is a picture, its ``number``, when it was ``captured`` (milliseconds since 1970, as in
browsers), when the browser of its camera says it was ``taken`` (or null), and the bytes of the
``stylized`` and of the ``content`` JPEG; then these two.
"""

import json
import struct
import time
from typing import Any

from .shown import Shown


def encode(state: dict[str, object], shown: Shown | None, wipe: bool) -> bytes:
    """One answer; the original goes along with ``wipe`` only."""
    stylized = b"" if shown is None else shown.stylized_jpeg
    content = shown.content_jpeg if shown is not None and wipe else b""
    header = state | {"stylized": len(stylized), "content": len(content)}
    if shown is not None:
        captured = 1000 * (time.time() - shown.age)
        header |= {"number": shown.number, "captured": captured, "taken": shown.taken}
    encoded = json.dumps(header).encode()
    return struct.pack("<I", len(encoded)) + encoded + stylized + content


def decode(message: bytes) -> tuple[dict[str, Any], bytes, bytes]:
    """The header and both JPEGs, which may be empty."""
    (length,) = struct.unpack_from("<I", message)
    header = json.loads(message[4 : 4 + length])
    middle = 4 + length + header["stylized"]
    return header, message[4 + length : middle], message[middle : middle + header["content"]]
