"""The settings of stylizing, each checked where it is made. This module loads nothing heavy."""

from dataclasses import dataclass, replace

from ..core.errors import FastTransferError
from ..core.files import is_remote
from ..core.paths import expand_user
from ..core.values import number, whole_number

ENGINES = ("auto", "torch", "openvino", "onnxruntime")
PRECISIONS = ("auto", "float32", "bfloat16", "int8")
COLORS = ("style", "content")
ALPHA = "alpha"  # as a mask: a picture's own
PERSON = "person"  # as a mask: what a model finds


@dataclass(frozen=True)
class StylizerSettings:
    """What is done around the network.

    Attributes:
        size: longer side of the output in pixels; None keeps the size of the content image.
        color: ``style``, or ``content`` to keep the colors of the content image.
        strength: 0 (exactly the content image) to 1 (exactly the network); pixels are mixed.
        stroke_size: longer side in pixels of the picture in which strokes are as large as the style
            was trained with. They then cover the same part of the picture at any size, so a preview
            and a print agree. None: strokes keep their pixels, and look finer in larger pictures.

    Raises:
        FastTransferError: a value out of range.
    """

    size: int | None = None
    color: str = "style"
    strength: float = 1.0
    stroke_size: int | None = None

    def __post_init__(self) -> None:
        for name in ("size", "stroke_size"):
            side = getattr(self, name)
            if side is not None and (not _is_a(side, int) or side < 1):
                raise FastTransferError(
                    f"{name}={side} must be the longer side in whole pixels, or null for the input's own"
                )
        if self.color not in COLORS:
            raise FastTransferError(f"color={self.color} must be style or content")
        if not _is_a(self.strength, int, float) or not 0 <= self.strength <= 1:
            raise FastTransferError(f"strength={self.strength} must be a number from 0 to 1")


@dataclass(frozen=True)
class SteadySettings:
    """How strokes stay where they are in clips; see ``steadier``.

    Attributes:
        amount: 0 (each frame by itself) to 1 (as steady as it can be); ``auto`` is 1 where OpenCV is
            installed and 0 elsewhere.
        key_seconds: how long strokes stay before others replace them.
        fade_seconds: how long the others take to fade in.

    Raises:
        FastTransferError: a value out of range.
    """

    amount: float | str = "auto"
    key_seconds: float = 1.0
    fade_seconds: float = 0.4

    def __post_init__(self) -> None:
        amount = 1.0 if self.amount == "auto" else self.amount
        if not _is_a(amount, int, float) or not 0 <= float(amount) <= 1:
            raise FastTransferError(
                f"steady={self.amount} must be a number from 0 (each frame by itself) to 1, or auto"
            )
        number("steadying.key_seconds", self.key_seconds, 0)
        number("steadying.fade_seconds", self.fade_seconds, 0)


@dataclass(frozen=True)
class EngineSettings:
    """What runs the network.

    Attributes:
        engine: ``torch``, ``openvino``, ``onnxruntime``, or ``auto``: on a CPU OpenVINO where it is
            installed, otherwise PyTorch.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``, or another name of a PyTorch device.
        precision: ``float32``; ``bfloat16``; ``int8`` (OpenVINO only); or ``auto``: bfloat16 where
            the device has instructions for it, otherwise float32.

    Raises:
        FastTransferError: a value that is none of these.
    """

    engine: str = "auto"
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise FastTransferError(
                f"engine={self.engine} must be auto, torch, openvino or onnxruntime"
            )
        if self.precision not in PRECISIONS:
            raise FastTransferError(
                f"precision={self.precision} must be auto, float32, bfloat16 or int8"
            )


@dataclass(frozen=True)
class MaskSettings:
    """Which part of a picture is stylized. Masks are white where it is, black where it is not.

    Attributes:
        path: a picture, a folder with a mask for each file, a clip of masks, ``alpha``: what each
            picture says itself of where it is opaque, or ``person``: what a model finds. None:
            everything is stylized.
        feather: pixels of the result, to either side of a border, over which it is softened.
        invert: white and black of ``path`` exchanged.
        strength: another mask, a picture, folder, or clip: how strong the style is at each place.
        model: for ``person``, an ONNX file, see ``PersonModel``; None: what rembg keeps on disk.
        regions: of two styles, the first where the mask is white and the second where it is black.

    Raises:
        FastTransferError: a value that cannot be used.
    """

    path: str | None = None
    feather: int = 2
    invert: bool = False
    strength: str | None = None
    model: str | None = None
    regions: bool = False

    def __post_init__(self) -> None:
        whole_number("mask.feather", self.feather, 0)
        if self.model is not None and self.path != PERSON:
            raise FastTransferError(f"mask.model={self.model} is for mask=person; write that too")
        if self.regions and self.path is None:
            raise FastTransferError(
                "mask.regions=true (--regions) needs a mask, white for the first style and black for "
                "the second; write mask= (--mask)"
            )
        if self.regions and self.strength is not None:
            raise FastTransferError(
                f"strength={self.strength} is a mask, and with mask.regions=true (--regions) strength= "
                "must be a number"
            )
        if self.invert and self.path is None:
            raise FastTransferError(
                "mask.invert=true exchanges white and black of a mask, and there is none; write mask="
            )
        for name, path in (("mask", self.path), ("strength", self.strength)):
            if path is not None and is_remote(path):
                raise FastTransferError(
                    f"{name}={path} must be on this machine; fetch the masks first"
                )

    def __bool__(self) -> bool:
        return self.path is not None or self.strength is not None

    def anywhere(self) -> "MaskSettings":
        """The same for a process with another working folder."""
        path, strength = _absolute(self.path), _absolute(self.strength)
        return replace(self, path=path, strength=strength, model=_absolute(self.model))


def _absolute(path: str | None) -> str | None:
    return path if path in (None, ALPHA, PERSON) else str(expand_user(path).absolute())


def _is_a(value: object, *kinds: type) -> bool:
    """Whether it is one of these kinds; ``True`` is no number."""
    return isinstance(value, kinds) and not isinstance(value, bool)
