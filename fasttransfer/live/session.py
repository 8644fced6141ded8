"""Camera → newest frame → network → newest picture: two threads between which nothing queues."""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from ..core.errors import FastTransferError
from ..stylizing.settings import MaskSettings
from ..stylizing.stylizer import Stylizer
from ..stylizing.thumbnails import make_thumbnails
from .blends import Blends
from .cameras import Cameras
from .frames import Camera, CameraFrame, shrunk
from .masks import CameraMasks
from .newest import Listeners, Newest, Rate, WorkingSize
from .painter import Painter
from .saver import Saver, output_folder
from .settings import SessionSettings
from .shown import Choice, Shown

RATE_SECONDS = 2.0  # over which frames/s are counted
RETRY_SECONDS = 1.0  # until a camera that is gone is tried again
TOO_SLOW = 2.0  # seconds without a picture, after which the page says why
BUDGET = 0.5  # of the largest age, for the network; the rest is for camera, encoding and sending


class Session:
    """One camera through one of several styles. All windows share it and see the same.

    Args:
        stylizers: at least one, with names that differ.
        camera: see ``Cameras``.
        output: folder for snapshots and recordings; None is the current one.
        settings: how pictures are taken, shown, and saved.
    """

    def __init__(
        self,
        stylizers: Sequence[Stylizer],
        camera: str,
        output: str | None,
        settings: SessionSettings,
    ) -> None:
        self.settings = settings
        self.styles = [stylizer.name for stylizer in stylizers]  # in the order of the command
        self._painter = Painter(settings.steady)
        self.masks = CameraMasks(settings.mask)
        self.cameras = Cameras(camera, settings)
        self._saver = Saver(output_folder(output), settings)
        self.thumbnails = make_thumbnails(stylizers)  # in the order of ``styles``
        self._blends = Blends(stylizers, settings.crossfade)
        first = stylizers[0]
        look = first.settings
        self.choice = Choice(
            *(first.name, look.strength, look.color, camera),
            mask=self.masks.first,
            invert=settings.mask.invert,
        )
        self._messages: dict[str, str] = {}  # one sentence for each part where something is wrong
        self.newest: Shown | None = None
        self.left_out = 0  # frames that were replaced by newer ones, or became too old
        self._frames: Newest[CameraFrame] = Newest()
        self._working_size = WorkingSize(BUDGET * settings.max_age)
        self._shown_rate, self._camera_rate = Rate(RATE_SECONDS), Rate(RATE_SECONDS)
        self.listeners = Listeners()  # are called from another thread for each new picture
        self._lock = threading.Lock()  # for the choice and the count
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Opens the camera and starts; without one, with that of a browser, and prints why.

        Raises:
            FastTransferError: there is no such camera, or access is denied.
        """
        camera = self.cameras.open_first()
        if self.cameras.missing:
            self.choice = replace(self.choice, camera=self.cameras.first)
            print(f"{self.cameras.missing}; the page offers the browser's", file=sys.stderr)
        for work in (lambda: self._capture(camera), self._stylize):
            self._threads.append(threading.Thread(target=self._guarded(work), daemon=True))
            self._threads[-1].start()

    def close(self) -> None:
        """Stops and finishes a recording; may be called twice."""
        self._closing.set()
        for thread in self._threads:
            thread.join(timeout=2)  # a camera's driver may hang; the thread then dies with us
        self.listeners()
        try:
            path = self.record(False)
            if path is not None:
                print(f"wrote {path}", file=sys.stderr)
        except FastTransferError as error:
            print(error, file=sys.stderr)

    # What the page asks for.

    def choose(self, **changes: object) -> None:
        """Sets styles, their shares, strength, color, mask or camera, from the next frame on.

        A ``second`` style of "" is none, and so is one that equals the first.

        Raises:
            FastTransferError: something that is not offered.
        """
        offered = {"style": self.styles, "color": ["style", "content"]}
        offered["second"] = [*self.styles, ""]
        offered["mask"] = [*self.masks.offered]
        offered["camera"] = [*self.cameras.offered()]
        for name, value in changes.items():
            if name in offered and value not in offered[name]:
                given = str(value)[:80]
                raise FastTransferError(f"{name}={given} is none of {', '.join(offered[name])}")
        with self._lock:
            choice = replace(self.choice, **changes)  # type: ignore[arg-type]
            if choice.second in ("", choice.style):
                choice = replace(choice, second=None)
            self.choice = choice

    def put_frame(self, message: bytes) -> None:
        """Takes a frame of a browser's camera, see ``BrowserCamera``."""
        self._leave_out(self.cameras.browser.put(message))

    def snapshot(self) -> Path:
        """Saves the newest picture as PNG.

        Raises:
            FastTransferError: there is none yet, or it cannot be written.
        """
        shown = self.newest
        if shown is None:
            raise FastTransferError("there is no picture yet; try again when the camera shows one")
        return self._saver.snapshot(shown)

    def record(self, on: bool) -> Path | None:
        """Starts a recording, or ends it and returns its file once that is whole.

        Raises:
            FastTransferError: it cannot be written.
        """
        return self._saver.start(self.choice.name) if on else self._saver.finish()

    @property
    def stylizer(self) -> Stylizer:
        """What the page has chosen, for pictures of any size."""
        return self._blends.chosen(self.choice)

    @property
    def photo_mask(self) -> MaskSettings:
        """What the page has chosen, for photos."""
        return self.masks.settings(self.choice.mask, self.choice.invert)

    @property
    def folder(self) -> Path:
        """Where snapshots and recordings go."""
        return self._saver.folder

    @property
    def saved(self) -> dict[str, Path]:
        """Snapshots and recordings that are whole, by their names."""
        return self._saver.saved

    def state(self) -> dict[str, object]:
        """What a page shows beside the picture, as JSON values."""
        shown, seconds = self.newest, self._saver.seconds
        height, width = (0, 0) if shown is None else shown.stylized.shape[:2]
        return {
            "style": self.choice.style,
            "second": self.choice.second,
            "share": self.choice.share,
            "strength": self.choice.strength,
            "color": self.choice.color,
            "mask": self.choice.mask,
            "invert": self.choice.invert,
            "camera": self.choice.camera,
            "browser": self.cameras.browser.is_sending,
            "recording": None if seconds is None else round(seconds, 1),
            "files": len(self.saved),
            "message": next(iter(self._messages.values()), self._saver.message),
            "frames_per_second": round(self._shown_rate(), 1),
            "camera_frames_per_second": round(self._camera_rate(), 1),
            "milliseconds": 0 if shown is None else round(shown.milliseconds, 1),
            "left_out": self.left_out,
            "width": width,
            "height": height,
            "reduced": self._working_size.share < 1,
        }

    # The two threads.

    def _guarded(self, work: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except BaseException:
                self._messages["fault"] = "this is a fault of fasttransfer; its terminal says more"
                raise

        return run

    def _capture(self, opened: Camera | None) -> None:
        while not self._closing.is_set():
            name = self.choice.camera
            try:
                with closing(opened or self.cameras.open(name)) as camera:
                    opened = None
                    self._messages.pop("camera", None)
                    while not self._closing.is_set() and self.choice.camera == name:
                        frame = camera.read()
                        if frame is not None:
                            self._leave_out(self._frames.put(frame))
                            self._camera_rate.count()
            except FastTransferError as error:
                self._messages["camera"] = str(error)
                self._closing.wait(RETRY_SECONDS)

    def _stylize(self) -> None:
        while not self._closing.is_set():
            frame = self._frames.take(seconds=0.2)
            if frame is None:
                continue
            try:
                shown = self._stylized(frame)
            except FastTransferError as error:
                self._messages["network"] = str(error)
                continue
            if shown.age > self.settings.max_age:
                self._leave_out(1)
                self._warn_if_too_slow(shown)
                continue
            self._messages.pop("network", None)
            self._saver.write(shown)
            self.newest = shown
            self._shown_rate.count()
            self.listeners()

    def _leave_out(self, frames: int) -> None:
        with self._lock:  # both threads count
            self.left_out += frames

    def _stylized(self, frame: CameraFrame) -> Shown:
        choice, last = self.choice, self.newest
        if last is not None and last.choice.name != choice.name:
            self._working_size.restart()
        stylizer = self._blends.fading(choice, time.perf_counter())
        longer = max(frame.pixels.shape[:2])
        content = shrunk(frame.pixels, round(longer * self._working_size.share))
        start = time.perf_counter()
        mask = self.masks(content, choice.mask, choice.invert)
        stylized = self._painter(content, frame.captured, stylizer, choice.camera, mask)
        seconds = time.perf_counter() - start
        if choice.strength > 0:
            self._working_size.took(seconds)
        number = 1 if last is None else last.number + 1
        milliseconds = 1000 * seconds
        return Shown(
            number,
            frame.captured,
            content,
            stylized,
            milliseconds,
            choice,
            self.settings.quality,
            frame.taken,
        )

    def _warn_if_too_slow(self, shown: Shown) -> None:
        if self._working_size.exhausted and (self.newest is None or self.newest.age > TOO_SLOW):
            self._messages["network"] = (
                f"{shown.choice.style} takes {shown.milliseconds:.0f} ms for a frame of "
                f"{shown.stylized.shape[1]}×{shown.stylized.shape[0]}, so that it would be older than "
                f"live.max_age={self.settings.max_age}; choose a faster style or a smaller size="
            )
