"""What a user sets for a live session and its server, checked once."""

import re
import secrets
from dataclasses import dataclass

from ..core.errors import FastTransferError
from ..core.values import number, whole_number
from ..pipeline.settings import MediaSettings
from ..stylizing.settings import MaskSettings
from ..video.settings import VideoSettings
from .guard import is_loopback

_TOKEN = re.compile(r"[A-Za-z0-9._~-]{8,256}")  # stands in an address and a cookie as it is

# As browsers write it: lower case, and a port only where it is not the usual one.
_ORIGIN = re.compile(r"(?!http://.*:80$|https://.*:443$)https?://[a-z0-9._-]+(:[0-9]{1,5})?")


@dataclass(frozen=True)
class SessionSettings:
    """How pictures are taken, shown, and saved.

    Args:
        size: longer side of the frames in pixels; larger ones are shrunk.
        rate: frames per second to request from the camera.
        quality: 1 to 100, of the JPEGs for the page.
        max_age: seconds after which a picture is dropped.
        max_saved: most bytes of snapshots and recordings in all.
        video: how recordings are encoded.
        media: how photos that the page sends are read and written.
        crossfade: seconds from one style to the next; 0: at once.
        virtual_camera: whether other programs see the picture as a camera.
        mask: where frames are stylized: a still, or where there is a person.
        steady: 0 (each frame by itself) to 1 (strokes stay where they are).

    Raises:
        FastTransferError: a setting that cannot be used.
    """

    size: int
    rate: float
    quality: int
    max_age: float
    max_saved: int
    video: VideoSettings
    media: MediaSettings
    crossfade: float = 0.5
    virtual_camera: bool = False
    mask: MaskSettings = MaskSettings()
    steady: float = 0.0

    def __post_init__(self) -> None:
        whole_number("size", self.size, 16, 8192)
        number("live.rate", self.rate, 1, 1000)
        whole_number("live.quality", self.quality, 1, 100)
        number("live.max_age", self.max_age, 0, 60)
        whole_number("live.max_saved", self.max_saved, 0)
        number("live.crossfade", self.crossfade, 0, 60)
        if not 0 <= number("live.steady", self.steady, 0) <= 1:
            raise FastTransferError(f"live.steady={self.steady} must be a number from 0 to 1")
        if not isinstance(self.virtual_camera, bool):
            raise FastTransferError(
                f"live.virtual_camera={self.virtual_camera} must be true or false"
            )


@dataclass(frozen=True)
class ServerSettings:
    """Where the page is served, and to whom.

    Args:
        host: address to listen at; only a loopback address keeps other machines away.
        port: where to listen, or the next free one; 0 takes any.
        open_browser: whether to open the page where there is a desktop.
        token: what a browser must show; None makes one unless ``host`` is a loopback address and
            there is no proxy: then none is needed.
        origin: what browsers call the page behind a proxy, such as ``https://example.org``.

    Raises:
        FastTransferError: a setting that cannot be used.
    """

    host: str
    port: int
    open_browser: bool
    token: str | None
    origin: str | None = None

    def __post_init__(self) -> None:
        whole_number("live.port", self.port, 0, 65535)
        if self.origin is not None and not _ORIGIN.fullmatch(str(self.origin)):
            raise FastTransferError(
                f"live.origin={self.origin} must be what browsers call the page, https:// and a name, "
                "as in https://example.org, without a path"
            )
        if self.token is None:
            return
        if not isinstance(self.token, str) or not _TOKEN.fullmatch(self.token):
            raise FastTransferError(
                "live.token must be 8 to 256 letters, digits, or any of - . _ ~ (a number in quotes); "
                "leave it out to get a random one"
            )

    def choose_token(self) -> str | None:
        """The token that the server asks for, a new random one where none is set; None: no token."""
        if self.token is None and not (is_loopback(self.host) and self.origin is None):
            return secrets.token_urlsafe(24)
        return self.token
