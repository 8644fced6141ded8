"""Which cameras a session may use: the machine's, those of browsers, and the one of the command."""

from pathlib import Path

from ..core.errors import FastTransferError
from .browser_camera import BROWSER, BrowserCamera
from .camera import PATTERN, cameras, open_camera
from .frames import Camera
from .names import CAMERA
from .settings import SessionSettings


class Cameras:
    """Opens cameras by their names.

    Args:
        first: the one of the command, see ``open_camera``, or ``camera:browser``.
        settings: how large frames are, and how many there are.
    """

    def __init__(self, first: str, settings: SessionSettings) -> None:
        self.first = first
        self.missing = ""  # why the machine's camera is not used, one sentence
        self.browser = BrowserCamera(settings.size)
        self._settings = settings

    def open_first(self) -> Camera:
        """The camera of the command.

        Where the command names none and the machine has none, that of a browser.

        Raises:
            FastTransferError: there is no such camera, or access is denied.
        """
        try:
            return self.open(self.first)
        except FastTransferError as error:
            if self.first != CAMERA:
                raise
            self.missing, self.first = str(error), f"{CAMERA}:{BROWSER}"
            return self.browser

    def open(self, name: str) -> Camera:
        """One of those offered.

        Raises:
            FastTransferError: there is no such camera, or access is denied.
        """
        if name == f"{CAMERA}:{BROWSER}":
            return self.browser
        return open_camera(name, self._settings.size, self._settings.rate)

    def offered(self) -> dict[str, str]:
        """The cameras that the page may switch to, and what to call them there.

        No other files than the one named at the start: a page must not read what it likes.
        """
        found = {f"{CAMERA}:{number}": name for number, name in cameras().items()}
        found[f"{CAMERA}:{BROWSER}"] = "This browser’s camera"
        found[f"{CAMERA}:{PATTERN}"] = "Test pattern"
        if self.first not in found:
            which = self.first.partition(":")[2]
            found = {self.first: Path(which).name or "First camera", **found}
        return found
