"""What was found when the photos of a folder were looked at, kept for when the run is resumed."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..core.errors import FastTransferError
from ..core.files import write_whole
from ..images.reading import open_rgb

FINDINGS_FILE = "photos.json"

# Of a photo: bytes, time of its last change in ns, and why it cannot be used, if so.
_Finding = tuple[int, int, str | None]


@dataclass
class Findings:
    """Which photos can be used.

    Attributes:
        min_side: shorter side in pixels that a photo must have.
        max_pixels: largest picture that is decoded.
        photos: by their paths.
    """

    min_side: int
    max_pixels: int
    photos: dict[str, _Finding] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path | None, min_side: int, max_pixels: int) -> "Findings":
        """What ``write`` has written for the same limits; else nothing.

        A wrong entry does no harm: photos that break are replaced while training.
        """
        findings = cls(min_side, max_pixels)
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            kept = json.loads(file.read_text(encoding="utf-8")) if file else {}
            if (kept["min_side"], kept["max_pixels"]) == (min_side, max_pixels):
                findings.photos = {
                    str(path): (int(size), int(changed), None if why is None else str(why))
                    for path, (size, changed, why) in kept["photos"].items()
                }
        return findings

    def write(self, file: Path) -> None:
        """Keeps them; names that are not UTF-8 are escaped."""
        kept: Mapping[str, object] = vars(self)
        text = json.dumps(kept).encode("ascii")
        write_whole(file, lambda stream: stream.write(text))

    def reason(self, path: Path) -> str | None:
        """Why a photo cannot be used, or None; it is opened unless it is known."""
        try:
            status = path.stat()
        except OSError as error:
            return str(FastTransferError(f"{path} cannot be read ({error.strerror})"))
        known = self.photos.get(str(path))
        if known is None or known[:2] != (status.st_size, status.st_mtime_ns):
            why = _reason(path, self.min_side, self.max_pixels)
            known = self.photos[str(path)] = (status.st_size, status.st_mtime_ns, why)
        return known[2]


def _reason(path: Path, min_side: int, max_pixels: int) -> str | None:
    try:
        photo = open_rgb(path, max_pixels=max_pixels, min_side=min_side)
        if min(photo.size) < min_side:
            raise FastTransferError(
                f"{path} has {photo.width}×{photo.height} pixels, too few ({min_side} a side)"
            )
    except FastTransferError as error:
        return str(error)
    return None
