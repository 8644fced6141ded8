"""A headless Chromium, driven over its DevTools protocol."""

import base64
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next((path for path in map(shutil.which, NAMES) if path), None)
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--mute-audio")
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


class Page:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self.problems: list[str] = []  # exceptions and what the console calls an error
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """One command of the protocol, and its answer."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        self._socket.send(json.dumps(command))
        while True:
            message = json.loads(self._socket.recv(timeout=60))
            if message.get("method") == "Runtime.exceptionThrown":
                self.problems.append(str(message["params"]["exceptionDetails"]))
            if message.get("method") == "Log.entryAdded":
                entry = message["params"]["entry"]
                if entry["level"] == "error":
                    self.problems.append(f"{entry['text']} {entry.get('url', '')}")
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]

    def run(self, code: str) -> Any:
        """The value of an expression of JavaScript; a promise is awaited."""
        asked = {"expression": code, "awaitPromise": True, "returnByValue": True}
        answer = self.call("Runtime.evaluate", **asked, userGesture=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, code: str, seconds: float = 60) -> Any:
        """Waits until an expression is true, and returns it."""
        deadline = time.monotonic() + seconds
        while not (value := self.run(code)):
            assert time.monotonic() < deadline, f"never: {code}"
            time.sleep(0.05)
        return value

    def window(self, width: int, height: int) -> None:
        """Sets the window's size in pixels."""
        size = {"width": width, "height": height}
        phone = min(width, height) < 640
        self.call("Emulation.setDeviceMetricsOverride", **size, deviceScaleFactor=1, mobile=phone)

    def press(self, key: str) -> None:
        """Types one key."""
        text = key if len(key) == 1 else ""
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def mouse(self, kind: str, x: float, y: float) -> None:
        """``mousePressed``, ``mouseMoved`` or ``mouseReleased`` with the left button."""
        at = {"x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type=kind, **at)

    def screenshot(self, path: Path) -> None:
        """Saves what is seen as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@contextmanager
def open_page(url: str, *flags: str) -> Iterator[Page]:
    """Opens ``url`` in a browser of its own, with more flags, and ends that afterwards."""
    assert BROWSER is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        typed = [BROWSER, *FLAGS, *flags, f"--user-data-dir={profile}", "--remote-debugging-port=0"]
        process = subprocess.Popen(
            [*typed, "about:blank"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        try:
            assert process.stderr is not None
            listening = (re.search(r"ws://([^/]+)/", line) for line in process.stderr)
            place = next(match[1] for match in listening if match)
            with urlopen(f"http://{place}/json/list", timeout=30) as answer:
                [target] = [tab["id"] for tab in json.load(answer) if tab["type"] == "page"]
            with connect(f"ws://{place}/devtools/page/{target}", max_size=None) as socket:
                page = Page(socket)
                page.call("Page.navigate", url=url)
                yield page
        finally:
            process.terminate()
            process.communicate(timeout=30)
