"""The picture of a session as a camera that other programs see, by pyvirtualcam.

pyvirtualcam is under the GPL, so it is an extra of its own, and nothing else requires it.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np

from ..core.errors import FastTransferError, brief
from ..core.libraries import require
from .session import Session

PURPOSE = "live.virtual_camera=true"


@contextmanager
def virtual_camera(session: Session) -> Iterator[None]:
    """Sends each picture of a session to a virtual camera while the block runs.

    Its size is ``size`` and three quarters of that; pictures of another shape get black borders.

    Raises:
        FastTransferError: pyvirtualcam is not installed, or the system has no virtual camera.
    """
    library: Any = require("pyvirtualcam", "virtual-camera", PURPOSE)
    width, height = session.settings.size // 2 * 2, session.settings.size * 3 // 8 * 2
    try:
        camera = library.Camera(width, height, session.settings.rate)
    except RuntimeError as error:
        raise FastTransferError(
            f"{PURPOSE} finds no virtual camera ({brief(error)}); on Linux load v4l2loopback, elsewhere "
            "install OBS, or leave it out and use the page /clean"
        ) from error
    print(f"other programs see the picture as the camera {camera.device}", file=sys.stderr)
    ended = threading.Event()
    thread = threading.Thread(target=_send, args=(session, camera, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=2)  # a driver may hang
        camera.close()


def _send(session: Session, camera: Any, ended: threading.Event) -> None:
    """The newest picture at the camera's rate, again where there is no new one."""
    while not ended.wait(1 / camera.fps):
        shown = session.newest
        if shown is None:
            continue
        try:
            camera.send(fitted(shown.stylized, camera.width, camera.height))
        except RuntimeError as error:
            print(f"the virtual camera has ended ({brief(error)})", file=sys.stderr)
            return


def fitted(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """RGB bytes (H, W, 3) as a whole in the middle of a black picture of this size."""
    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = pixels if scale == 1 else cv2.resize(pixels, size, interpolation=way)
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    canvas[top : top + size[1], left : left + size[0]] = resized
    return canvas
