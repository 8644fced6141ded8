"""A camera, stylized live, on a page in the browser. This module loads nothing heavy."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.errors import FastTransferError
from ..core.libraries import require

if TYPE_CHECKING:
    from ..stylizing.stylizer import Stylizer
    from ..video.settings import VideoSettings


CAMERA = "camera"


def is_camera(name: str) -> bool:
    """Whether ``input=name`` means a camera; a file of that name is written ``./camera``."""
    return name.partition(":")[0] == CAMERA


def run_live(
    stylizers: Sequence["Stylizer"],
    inputs: Sequence[str],
    output: str | None,
    *,
    host: str,
    port: int,
    open_browser: bool,
    size: int,
    rate: float,
    quality: int,
    max_age: float,
    video: "VideoSettings",
) -> None:
    """Shows a camera through ``stylizers`` on a page until Ctrl-C.

    Args:
        stylizers: at least one; the page switches between them.
        inputs: exactly one camera: ``camera``, ``camera:1``, ``camera:pattern`` or
            ``camera:clip.mp4``.
        output: folder for snapshots and recordings; None is the current one.
        host: address to listen at; only a loopback address keeps other machines away.
        port: where to listen, or the next free one; 0 takes any.
        open_browser: whether to open the page where there is a desktop.
        size: longer side of the frames in pixels; larger ones are shrunk.
        rate: frames/s asked of the camera.
        quality: 1 to 100, of the JPEGs that the page gets.
        max_age: seconds; an older frame is not shown.
        video: how recordings are encoded.

    Raises:
        FastTransferError: no such camera, no permission, no free port, a setting that cannot be
            used, or a library that is missing.
    """
    for module in ("fastapi", "uvicorn", "websockets", "cv2", "av"):
        require(module, "live", "input=camera")
    import numpy as np

    from .server import serve
    from .session import Session

    _check(inputs, size, rate, quality, max_age, port)
    for stylizer in stylizers:  # an engine prepares itself at its first frame, which would be seen
        stylizer.frame(np.zeros((48, 64, 3), np.uint8))
    session = Session(stylizers, inputs[0], output, size, rate, quality, max_age, video)
    serve(session, host, port, open_browser)


def _check(
    inputs: Sequence[str], size: int, rate: float, quality: int, max_age: float, port: int
) -> None:
    if len(inputs) != 1:
        raise FastTransferError(
            f"input={' '.join(inputs)} must be one camera; the page switches to others"
        )
    for name, value, kind, least, most in (
        ("size", size, int, 16, 8192),
        ("live.rate", rate, (int, float), 1, 1000),
        ("live.quality", quality, int, 1, 100),
        ("live.max_age", max_age, (int, float), 0.01, 60),
        ("live.port", port, int, 0, 65535),
    ):
        if not isinstance(value, kind) or isinstance(value, bool) or not least <= value <= most:
            what = "a whole number" if kind is int else "a number"
            raise FastTransferError(f"{name}={value} must be {what} from {least} to {most}")
