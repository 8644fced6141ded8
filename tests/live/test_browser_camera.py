"""The camera of a browser: its frames are taken by a session, and what is none is refused."""

import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from starlette.websockets import WebSocketDisconnect

from fasttransfer.core.errors import FastTransferError
from fasttransfer.live.app import create_app
from fasttransfer.live.browser_camera import BrowserCamera
from fasttransfer.live.guard import Access
from fasttransfer.live.messages import decode
from fasttransfer.live.session import Session
from tests.helpers.chromium import BROWSER, CAMERA, open_page
from tests.helpers.live import command, make_session, until

HERE = "http://127.0.0.1:8642"
OWN = {"origin": HERE}
SOCKET = "ws://127.0.0.1:8642/camera"


def message(width: int, height: int, level: int = 120, taken: float = 5.0) -> bytes:
    file = BytesIO()
    Image.new("RGB", (width, height), (level, level, level)).save(file, "JPEG", quality=95)
    return struct.pack("<d", taken) + file.getvalue()


@contextmanager
def served(folder: Path, camera: str = "camera:browser") -> Iterator[tuple[TestClient, Session]]:
    session = make_session(folder, camera)
    session.start()
    try:
        yield TestClient(create_app(session, Access("127.0.0.1")), base_url=HERE), session
    finally:
        session.close()


def test_the_newest_frame_is_read() -> None:
    camera = BrowserCamera(64)
    assert camera.put(message(64, 48, 20, 1.0)) is False
    assert camera.put(message(64, 48, 200, 2.5)) is True
    frame = camera.read()
    assert frame is not None
    assert frame.taken == 2.5
    assert frame.captured <= time.perf_counter()
    assert frame.pixels.shape == (48, 64, 3)
    assert np.allclose(frame.pixels, 200, atol=2)
    assert camera.read() is None
    camera.put(message(64, 64))
    camera.close()
    assert camera.read() is None


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"", "must be a JPEG"),
        (b"12345678", "must be a JPEG"),
        (b"12345678" + b"II*\0" + bytes(99), "must be a JPEG"),  # TIFF, which ``images`` reads
        (message(65, 64), "65×64 pixels"),
        (message(64, 48)[:300], "damaged or cut short"),
    ],
)
def test_what_is_no_frame(sent: bytes, words: str) -> None:
    with pytest.raises(FastTransferError, match=words):
        BrowserCamera(64).put(sent)


def test_frames_become_pictures(tmp_path: Path) -> None:
    with served(tmp_path) as (client, session):
        assert session.state()["browser"] is False
        with (
            client.websocket_connect(SOCKET, headers=OWN) as camera,
            client.websocket_connect(SOCKET.replace("camera", "frames"), headers=OWN) as window,
        ):
            camera.send_bytes(message(60, 40, taken=1234.5))
            assert camera.receive_text() == "next"
            until(lambda: session.newest)
            window.send_text("wipe")
            header, _, content = decode(window.receive_bytes())
            assert header["taken"] == 1234.5
            assert header["browser"] is True
            assert Image.open(BytesIO(content)).size == (60, 40)
        until(lambda: not session.state()["browser"])


def test_another_window_takes_over(tmp_path: Path) -> None:
    with (
        served(tmp_path) as (client, _),
        client.websocket_connect(SOCKET, headers=OWN) as first,
        client.websocket_connect(SOCKET, headers=OWN) as second,
    ):
        second.send_bytes(message(64, 48))
        assert second.receive_text() == "next"
        first.send_bytes(message(64, 48))
        with pytest.raises(WebSocketDisconnect) as end:
            first.receive_text()
        assert "another window" in end.value.reason
        second.send_bytes(message(64, 48))
        assert second.receive_text() == "next"


def test_a_frame_that_cannot_be_used_ends_its_socket(tmp_path: Path) -> None:
    with served(tmp_path) as (client, session):
        with client.websocket_connect(SOCKET, headers=OWN) as camera:
            camera.send_bytes(b"12345678GIF89a")
            with pytest.raises(WebSocketDisconnect) as end:
                camera.receive_text()
            assert "must be a JPEG" in end.value.reason
        session.choose(camera="camera:pattern")
        with client.websocket_connect(SOCKET, headers=OWN) as camera:
            camera.send_bytes(message(64, 48))
            with pytest.raises(WebSocketDisconnect):
                camera.receive_text()
        for headers in ({}, {"origin": "http://evil.example"}):
            with (
                pytest.raises(WebSocketDisconnect),
                client.websocket_connect(SOCKET, headers=headers),
            ):
                pass


def test_a_machine_without_camera(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fasttransfer.live.camera.cameras", lambda: {61: "none"})
    with served(tmp_path, "camera") as (client, session):
        assert "camera 61" in capsys.readouterr().err
        answer = client.get("/state").json()
        assert answer["camera"] == "camera:browser"
        assert "camera 61" in answer["missing"]
        assert "camera" not in answer["cameras"]
        session.choose(camera="camera:pattern")
        until(lambda: session.newest)


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome here")
def test_the_page_sends_its_camera(tmp_path: Path) -> None:
    typed = ("input=camera:browser", "live.rate=10")
    with command(tmp_path, *typed) as (_, url), open_page(url, *CAMERA) as page:
        page.until("window.drawn?.own && drawn.number > 2")  # Chromium gives it without being asked
        assert page.run("[stylized.width, stylized.height]") == [64, 48]
        assert page.run("welcome.hidden && waiting.hidden")
        assert "ms" in page.run("document.getElementById('age').textContent")
        assert page.run("document.getElementById('mirror').getAttribute('aria-pressed')") == "true"
        page.press("m")
        assert page.run("document.getElementById('mirror').getAttribute('aria-pressed')") == "false"
        page.run("document.getElementById('pattern').click()")
        page.until("drawn.own === false && document.getElementById('mirror').hidden")
        page.run("camera.value = 'camera:browser'; camera.dispatchEvent(new Event('change'))")
        page.until("drawn.own && !document.getElementById('mirror').hidden")
        assert page.problems == []


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome here")
def test_a_page_without_any_camera_says_so(tmp_path: Path) -> None:
    with command(tmp_path, "input=camera:browser") as (_, url), open_page(url) as page:
        page.until("document.querySelector('#welcome')?.hidden === false")
        page.run("document.getElementById('own').click()")
        page.until("document.getElementById('toast').classList.contains('shown')")
        said = page.run("document.getElementById('toast').textContent")
        assert "camera" in said
        page.run("document.getElementById('pattern').click()")
        page.until("drawn.number > 1 && welcome.hidden")
