"""The settings of exported files, and what a network in such a file takes and gives.

Loads nothing heavy.
"""

import re
from dataclasses import dataclass

from ...core.errors import FastTransferError
from ...core.values import whole_number
from ...core.words import did_you_mean
from .formats import FORMATS

KINDS = ("photos", "frames")
LAYOUTS = ("nchw", "nhwc")
RANGES = (1, 255)
OPSETS = (13, 24)  # the first that has every operation in its present form, and the last known
MOST_SIDE = 8192  # pixels
_SIZE = re.compile(r"(\d+) ?[x×] ?(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Convention:
    """What an exported network takes and gives: RGB pictures.

    Attributes:
        layout: ``nchw``, (B, 3, H, W), or ``nhwc``, (B, H, W, 3).
        range: of the values, which begin with 0: 1 or 255.
        is_bytes: whether they are uint8 instead of float32.
        size: height and width, of one picture at a time; None: any, and any number of pictures.
    """

    layout: str
    range: int
    is_bytes: bool
    size: tuple[int, int] | None

    def __str__(self) -> str:
        one, height, width = ("1", *self.size) if self.size else ("B", "H", "W")
        axes = (one, 3, height, width) if self.layout == "nchw" else (one, height, width, 3)
        kind = "uint8" if self.is_bytes else "float32"
        return f"{kind} RGB ({', '.join(map(str, axes))}) from 0 to {self.range}"


@dataclass(frozen=True)
class ExportSettings:
    """How a style is written for other programs.

    Attributes:
        format: one of ``FORMATS``.
        kind: ``photos``, float32, or ``frames``, bytes.
        precision: of the computation, ``float32`` (also ``auto``), or ``int8``.
        overwrite: replace a file that is there.
        size: ``640x480``, width and height; None: any.
        opset: version of ONNX's operations; None: that of PyTorch's exporter.
        half: float16 inside, for devices that are faster with it; what goes in and comes out stays.
        layout: ``nchw`` or ``nhwc``; None: nchw of photos, nhwc of frames.
        range: of the values, 1 or 255; None: 1 of photos, 255 of frames.

    Raises:
        FastTransferError: a value that is none of these, or that the format does not know.
    """

    format: str = "onnx"
    kind: str = "photos"
    precision: str = "auto"
    overwrite: bool = False
    size: str | None = None
    opset: int | None = None
    half: bool = False
    layout: str | None = None
    range: int | None = None

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            hint = did_you_mean(str(self.format), FORMATS)
            raise FastTransferError(
                f"export={self.format} must be {_either(FORMATS)}{'; ' if hint else ''}{hint}"
            )
        if self.kind not in KINDS:
            raise FastTransferError(f"export_kind={self.kind} must be photos or frames")
        if self.precision not in ("auto", "float32", "int8"):
            raise FastTransferError(
                f"precision={self.precision} must be float32 or int8 in an exported file"
            )
        if self.layout not in (None, *LAYOUTS):
            raise FastTransferError(f"layout={self.layout} must be {_either(LAYOUTS)}")
        if self.range not in (None, *RANGES) or isinstance(self.range, bool):
            raise FastTransferError(f"range={self.range} must be {_either(RANGES)}")
        if self.opset is not None:
            whole_number("opset", self.opset, *OPSETS)
        self._check_format()
        self._check_together()

    @property
    def convention(self) -> Convention:
        """What the network takes and gives."""
        is_bytes = self.kind == "frames"
        layout = self.layout or ("nhwc" if is_bytes else "nchw")
        return Convention(layout, self.range or (255 if is_bytes else 1), is_bytes, self._size())

    @property
    def computes_in(self) -> str:
        """``float32``, ``float16``, or ``int8``."""
        return "int8" if self.precision == "int8" else "float16" if self.half else "float32"

    def _check_format(self) -> None:
        form = FORMATS[self.format]
        given = {
            "size": self.size,
            "opset": self.opset,
            "half": self.half or None,
            "layout": self.layout,
            "range": self.range,
            "precision": "int8" if self.precision == "int8" else None,
        }
        for name, value in given.items():
            if value is not None and name not in form.takes:
                raise FastTransferError(
                    f"{name}={value} is not for export={self.format}; leave it out, or write "
                    f"export={_either([one for one in FORMATS if name in FORMATS[one].takes])}"
                )
        if form.fixed and self.size is None:
            raise FastTransferError(
                f"export={self.format} has pictures of one size; write size=640x480 or another"
            )

    def _check_together(self) -> None:
        self._size()
        if self.half and self.precision == "int8":
            raise FastTransferError("half=true does not go with precision=int8; leave one out")
        if self.kind == "frames" and self.range == 1:
            raise FastTransferError(
                "range=1 is for floats, and frames are bytes; write range=255 or export_kind=photos"
            )

    def _size(self) -> tuple[int, int] | None:
        """Height and width."""
        if self.size is None:
            return None
        found = _SIZE.fullmatch(str(self.size).strip())
        sides = [int(side[:9]) for side in found.groups()] if found else []
        if not sides or not all(1 <= side <= MOST_SIDE for side in sides):
            raise FastTransferError(
                f"size={self.size} must be width and height of an exported network's pictures, up to "
                f"{MOST_SIDE} pixels each, such as 640x480"
            )
        return sides[1], sides[0]


def _either(words: object) -> str:
    *others, last = map(str, words)  # type: ignore[call-overload]
    return f"{', '.join(others)} or {last}" if others else last
