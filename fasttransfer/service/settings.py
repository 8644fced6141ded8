"""What a user sets for the service, checked once."""

from dataclasses import dataclass

from ..core.errors import FastTransferError
from ..core.values import number, whole_number
from ..live.settings import ServerSettings
from ..pipeline.settings import MediaSettings


@dataclass(frozen=True)
class ServiceSettings:
    """How pictures are taken, and how many.

    Args:
        server: where the service listens, and to whom.
        media: how pictures are read and written; its ``max_pixels`` is the most of a picture.
        workers: pictures that are stylized at the same time.
        waiting: further ones that may wait; what comes then is refused with 429.
        seconds: for a picture, waiting included; then 504.
        max_bytes: of a request; more is refused with 413.
        loaded: styles and blends whose networks are ready; another takes the place of the one that
            was not used for longest.

    Raises:
        FastTransferError: a setting that cannot be used.
    """

    server: ServerSettings
    media: MediaSettings
    workers: int
    waiting: int
    seconds: float
    max_bytes: int
    loaded: int

    def __post_init__(self) -> None:
        whole_number("service.workers", self.workers, 1)
        whole_number("service.waiting", self.waiting, 0)
        whole_number("service.max_bytes", self.max_bytes, 1)
        whole_number("service.loaded", self.loaded, 1)
        if number("service.seconds", self.seconds, 0) == 0:
            raise FastTransferError("service.seconds=0 must be a number above 0.")
