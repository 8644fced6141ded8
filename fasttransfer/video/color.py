"""What the numbers in a video mean as colors: its tags, and what stands in for missing ones."""

from dataclasses import dataclass

import av
from av.video.reformatter import ColorRange

# FFmpeg's numbers of the YUV matrices that swscale knows, with swscale's own numbers for them.
MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
BT709, UNSPECIFIED, BT601 = 1, 2, 6
# FFmpeg's numbers for swscale, which PyAV names from version 18 on.
_BILINEAR, _AREA = 1 << 1, 1 << 5
_FULL_CHROMA_OUT, _FULL_CHROMA_IN, _ACCURATE = 1 << 13, 1 << 14, 1 << 18

# From YUV to RGB without swscale's shortcut, which darkens every picture by 1.1 of 255 levels; so a
# copy has the luma of the original. It costs 2 ms more for 640×480.
TO_RGB = _BILINEAR | _FULL_CHROMA_OUT | _ACCURATE
# From RGB to YUV: averages the colors of the pixels that share them, exactly where they lie.
TO_YUV = _AREA | _FULL_CHROMA_IN

FULL, LIMITED = ColorRange.JPEG.value, ColorRange.MPEG.value


@dataclass(frozen=True)
class Colors:
    """The color tags of a clip, FFmpeg's numbers after ITU-T H.273, and how to understand them.

    Attributes:
        primaries: 2 is not specified, as for the next two.
        transfer: likewise.
        matrix: of YUV; 0 is RGB.
        range: full, limited, or 0 for not specified.
        kind: ``yuv``, ``full`` (YUV or gray that is full range whatever the tag says), or ``rgb``.
    """

    primaries: int
    transfer: int
    matrix: int
    range: int
    kind: str

    def taken_matrix(self, width: int, height: int) -> int:
        """The matrix to compute with: where the tag says nothing, by the size, as players do."""
        if self.matrix in MATRICES:
            return self.matrix
        return BT709 if width >= 1280 or height > 576 else BT601

    @property
    def read_range(self) -> int:
        """The range of the frames in the file."""
        return FULL if self.kind != "yuv" else self.range or LIMITED

    @property
    def written_range(self) -> int:
        """The range to encode YUV with."""
        return LIMITED if self.kind == "rgb" else self.read_range


def colors_of(frame: av.VideoFrame) -> Colors:
    """The tags of a decoded frame."""
    name = frame.format.name
    # FFmpeg takes gray for full range unless the tag says otherwise.
    gray = name.startswith("gray") and frame.color_range != LIMITED
    full = name.startswith("yuvj") or gray
    return Colors(
        primaries=frame.color_primaries,
        transfer=frame.color_trc,
        matrix=frame.colorspace,
        range=frame.color_range,
        kind="rgb" if frame.format.is_rgb else "full" if full else "yuv",
    )
