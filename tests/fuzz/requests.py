"""Damaged requests to the live page's server, over sockets."""

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import httpx

from tests.helpers.live import command

from .mutations import mutate, mutate_text
from .sandbox import Outcome

SECONDS = 10
PATIENCE = 3.0  # seconds for an answer, before the request is declared complete
AT_ONCE = 8  # requests: most of the time goes into waiting
BODIES = {
    "/state": '{"style": "ink", "strength": 0.5, "colour": "content", "camera": "camera:pattern"}',
    "/snapshot": "",
    "/recording": '{"on": true}',
}
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
NEXT = b"\x81\x84\x01\x02\x03\x04" + bytes(a ^ b for a, b in zip(b"next", b"\1\2\3\4", strict=True))


class Server:
    """The command with a test picture as its camera, and what happened to requests."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self._process = process
        self._url = url.rstrip("/")
        self._address = ("127.0.0.1", int(urlsplit(url).port or 80))
        self._requests = requests_of(self._url)

        for request in self._requests:
            answer = self._send(request, patience=3 * SECONDS)
            if answer is None or not answer.startswith(b"HTTP/1.1 "):
                raise RuntimeError(f"no answer to {request!r}")

    def run(self, number: int) -> Outcome:
        """Sends the damaged request of that number."""
        rng = Random(number)
        request = self._damage(rng.choice(self._requests), rng)
        start = time.monotonic()
        answer = self._send(request)
        if answer is None:
            name = "hang"
        elif self._process.poll() is not None or answer.startswith(b"HTTP/1.1 5"):
            name = "crash"
        else:
            name = "ok" if answer[9:12] in (b"101", b"200", b"206", b"304") else "refused"
        text = f"{request[:200]!r} {(answer or b'')[:200]!r}"
        return Outcome(name, text, self.megabytes(), time.monotonic() - start)

    def _damage(self, request: bytes, rng: Random) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        way = rng.random()
        if way < 0.3:
            return mutate(request, self._requests, rng)
        if way < 0.6 or not body:
            text = mutate_text(request.decode("latin-1"), rng)
            return text.encode("utf-8", "surrogatepass")
        text = mutate_text(body.decode("latin-1"), rng)  # of the right length, so that it is read
        body = text.encode("utf-8", "surrogatepass")
        head = re.sub(rb"(?<=Content-Length: )\d+", b"%d" % len(body), head)
        return head + b"\r\n\r\n" + body

    def answers(self) -> bool:
        """Whether the page still works for its owner."""
        return httpx.get(f"{self._url}/state", timeout=SECONDS).status_code == 200

    def megabytes(self) -> float:
        """What the server holds in memory."""
        if self._process.poll() is not None:
            return 0.0
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def _send(self, request: bytes, patience: float = PATIENCE) -> bytes | None:
        """The start of the answer, or None if there is no end to it."""
        answer = b""
        try:
            with socket.create_connection(self._address, timeout=patience) as connection:
                connection.sendall(request)
                with suppress(TimeoutError):  # it may wait for more
                    answer = connection.recv(65536)
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(SECONDS)
                deadline = time.monotonic() + SECONDS
                while connection.recv(65536):
                    if time.monotonic() > deadline:
                        return None
        except TimeoutError:
            return None
        except OSError:  # the server closed what it did not want to read
            pass
        return answer


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """The command, which saves into ``folder/out``."""
    with command(folder, "input=camera:pattern", "output=out") as (process, url):
        yield Server(process, url)


def requests_of(url: str) -> list[bytes]:
    """What the page sends: all routes, and a socket for pictures."""
    own = f"Host: {urlsplit(url).netloc}\r\nOrigin: {url}\r\n"
    found = [
        f"GET {path} HTTP/1.1\r\n{own}\r\n".encode()
        for path in ("/", "/live/live.js", "/state", "/saved/wood.jpg", "/saved/../state")
    ]
    for path, body in BODIES.items():
        head = f"POST {path} HTTP/1.1\r\n{own}Content-Type: application/json\r\n"
        found.append(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    found.append(f"GET /frames HTTP/1.1\r\n{own}{UPGRADE}\r\n".encode() + NEXT * 2)
    return found
