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
    token: str | None,
    size: int,
    rate: float,
    quality: int,
    max_age: float,
    max_saved: int,
    video: "VideoSettings",
) -> None:
    """Shows a camera through ``stylizers`` on a page until Ctrl-C.

    Args:
        stylizers: at least one; the page switches between them.
        inputs: exactly one camera: ``camera``, ``camera:1``, ``camera:pattern`` or
            ``camera:clip.mp4``.
        output: folder for snapshots and recordings; None is the current one.
        host, port, open_browser, token: see ``ServerSettings``.
        size, rate, quality, max_age, max_saved, video: see ``SessionSettings``.

    Raises:
        FastTransferError: no such camera, no permission, no free port, a setting that cannot be
            used, or a library that is missing.
    """
    for module in ("fastapi", "uvicorn", "websockets", "cv2", "av"):
        require(module, "live", "input=camera")
    import numpy as np

    from .server import serve
    from .session import Session
    from .settings import ServerSettings, SessionSettings

    if len(inputs) != 1:
        raise FastTransferError(
            f"input={' '.join(inputs)} must be one camera; the page switches to others"
        )
    serving = ServerSettings(host, port, open_browser, token)
    settings = SessionSettings(size, rate, quality, max_age, max_saved, video)
    for stylizer in stylizers:  # an engine prepares itself at its first frame, which would be seen
        stylizer.frame(np.zeros((48, 64, 3), np.uint8))
    serve(Session(stylizers, inputs[0], output, settings), serving)
