"""A camera, stylized live, on a page in the browser. This module loads nothing heavy."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from ..core.errors import FastTransferError
from ..core.libraries import require

if TYPE_CHECKING:
    from ..stylizing.stylizer import Stylizer
    from .settings import ServerSettings, SessionSettings


def run_live(
    stylizers: Sequence["Stylizer"],
    inputs: Sequence[str],
    output: str | None,
    session: "SessionSettings",
    server: "ServerSettings",
) -> None:
    """Shows a camera through ``stylizers`` on a page until Ctrl-C.

    Args:
        stylizers: at least one; the page switches between them.
        inputs: exactly one camera: ``camera``, ``camera:1``, ``camera:pattern`` or
            ``camera:clip.mp4``.
        output: folder for snapshots and recordings; None is the current one.
        session: how pictures are taken, shown, and saved.
        server: where the page is served, and to whom.

    Raises:
        FastTransferError: no such camera, no permission, no free port, or a library that is missing.
    """
    for module in ("fastapi", "uvicorn", "websockets", "cv2", "av"):
        require(module, "live", "input=camera")
    from .server import serve
    from .session import Session
    from .virtual_camera import virtual_camera

    if len(inputs) != 1:
        raise FastTransferError(
            f"input={' '.join(inputs)} must be one camera; the page switches to others"
        )
    opened = Session(stylizers, inputs[0], output, session)
    with virtual_camera(opened) if session.virtual_camera else nullcontext():
        serve(opened, server)
