"""The page keeps working while others take connections and send nothing."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from websockets.sync.client import connect

from fasttransfer.live.app import create_app
from fasttransfer.live.connections import BACKLOG, bounded_protocol, places
from fasttransfer.live.guard import Access
from tests.helpers.live import make_session, until

MOST = 40


@contextmanager
def served(folder: Path, seconds: float) -> Iterator[int]:
    """The application behind real sockets, with ``MOST`` connections; yields its port."""
    session = make_session(folder)
    session.start()
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        create_app(session, Access("127.0.0.1")),
        http=bounded_protocol(MOST, seconds),
        backlog=BACKLOG,
        log_level="error",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        until(lambda: server.started)
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        session.close()
        listening.close()


def test_half_open_requests_make_room(tmp_path: Path) -> None:
    with served(tmp_path, seconds=60) as port:
        place = f"127.0.0.1:{port}"
        with connect(f"ws://{place}/frames", origin=f"http://{place}") as window:  # type: ignore[arg-type]
            half_open = []
            for number in range(3 * MOST):
                half_open.append(socket.create_connection(("127.0.0.1", port), timeout=30))
                half_open[-1].sendall(b"GET / HTTP/1.1\r\nHost: 127.")
                if number % BACKLOG == BACKLOG - 1:  # more at once would wait a second each
                    state = httpx.get(f"http://{place}/state", timeout=30, verify=False)
                    assert state.status_code == 200
            window.send("next")  # an open web socket is not among those that make room
            assert window.recv(timeout=60)
            assert half_open[0].recv(1) == b""  # the oldest is closed
            for each in half_open:
                each.close()


POST = "POST /state HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nContent-Length: 9\r\n\r\n1"


@pytest.mark.parametrize("sent", ["", "GET / HTT", POST])
def test_a_request_that_does_not_arrive(tmp_path: Path, sent: str) -> None:
    with (
        served(tmp_path, seconds=0.3) as port,
        socket.create_connection(("127.0.0.1", port)) as slow,
    ):
        slow.settimeout(30)
        slow.sendall(sent.format(f"127.0.0.1:{port}").encode())
        try:
            answer = slow.recv(4096)
        except ConnectionResetError:
            answer = b""
        assert answer == b""  # the connection ends, without a word


def test_places_leave_descriptors_for_the_program() -> None:
    assert 2 * BACKLOG <= places() <= 128
