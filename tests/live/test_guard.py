"""Who may use the page: the token, and what it is not needed for."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from fasttransfer.core.errors import FastTransferError
from fasttransfer.live.app import create_app
from fasttransfer.live.guard import Access
from fasttransfer.live.limits import MAX_BODY, REQUESTS_AT_ONCE, RequestRates
from fasttransfer.live.session import Session
from fasttransfer.live.settings import ServerSettings
from tests.helpers.live import command, make_session, until

HERE = "http://192.168.1.5:8642"
OWN = {"origin": HERE}
TOKEN = "a-token_of.16~bytes"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    session = make_session(tmp_path_factory.mktemp("saved"))
    session.start()
    until(lambda: session.newest)
    yield session
    session.close()


@pytest.fixture
def client(session: Session) -> TestClient:
    return TestClient(create_app(session, Access("0.0.0.0", TOKEN)), base_url=HERE)


@pytest.mark.parametrize(
    "asked", ["", "?token=", "?token=wrong", f"?token={TOKEN[:-1]}", "?token=é"]
)
def test_without_the_token_nothing_is_given(client: TestClient, asked: str) -> None:
    for path in ("/", "/state", "/live/live.js", "/saved/a.png"):
        answer = client.get(path + asked)
        assert answer.status_code == 401
        assert "requires a token" in answer.text
        assert "set-cookie" not in answer.headers
        assert TOKEN not in answer.text
    assert client.post(f"/snapshot{asked}", headers=OWN).status_code == 401
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(f"ws://192.168.1.5:8642/frames{asked}", headers=OWN),
    ):
        pass


def test_the_token_is_kept_in_a_cookie(client: TestClient) -> None:
    first = client.get(f"/?token={TOKEN}")
    assert first.status_code == 200
    cookie = first.headers["set-cookie"].split("; ")
    assert cookie[0].endswith(f"={TOKEN}")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} < set(cookie)
    later = client.get("/state")  # by the cookie
    assert later.status_code == 200
    assert "set-cookie" not in later.headers
    with client.websocket_connect("ws://192.168.1.5:8642/frames", headers=OWN) as window:
        window.send_text("next")
        assert window.receive_bytes()
    # The token does not replace what is checked without one.
    assert client.post("/snapshot", headers={"origin": "http://evil.example"}).status_code == 403
    assert client.get("/", headers={"host": "evil.example"}).status_code == 403


def test_a_token_is_made_where_others_can_connect() -> None:
    made = {ServerSettings("0.0.0.0", 0, False, None).choose_token() for _ in range(9)}
    assert len(made) == 9
    assert all(token is not None and len(token) >= 32 for token in made)
    assert ServerSettings("127.0.0.1", 0, False, None).choose_token() is None
    assert ServerSettings("127.0.0.1", 0, False, TOKEN).choose_token() == TOKEN


def test_behind_a_proxy(session: Session) -> None:
    access = Access("127.0.0.1", TOKEN, "https://example.org:8443")
    client = TestClient(create_app(session, access), base_url="http://example.org:8443")
    own = {"origin": "https://example.org:8443"}
    first = client.get(f"/?token={TOKEN}")  # the proxy passes Host on
    assert first.headers["set-cookie"].endswith("; Secure")
    assert "wss://example.org:8443" in first.headers["content-security-policy"]
    client.cookies.clear()
    with_token = f"/state?token={TOKEN}"
    assert client.post(with_token, json={}, headers=own).status_code == 200
    plain = {"origin": "http://example.org:8443"}
    assert client.post(with_token, json={}, headers=plain).status_code == 403
    # The proxy has a Host of its own.
    inside = own | {"host": "127.0.0.1:8642"}
    assert client.post(with_token, json={}, headers=inside).status_code == 200
    client.cookies.clear()
    assert client.post("/state", json={}, headers=inside).status_code == 401
    evil = {"origin": "https://evil.example", "host": "127.0.0.1:8642"}
    assert client.post(with_token, json={}, headers=evil).status_code == 403
    assert client.get("/", headers={"host": "evil.example:8443"}).status_code == 403


def test_what_a_proxy_serves_has_a_token() -> None:
    behind = ServerSettings("127.0.0.1", 0, False, None, "https://example.org")
    assert behind.choose_token() is not None


@pytest.mark.parametrize(
    "origin",
    [
        "example.org",
        "https://Example.org",
        "https://example.org/live",
        "https://example.org:443",
        "",
    ],
)
def test_origins_that_cannot_be(origin: str) -> None:
    with pytest.raises(FastTransferError, match=r"live\.origin="):
        ServerSettings("127.0.0.1", 0, False, None, origin)


@pytest.mark.parametrize("token", ["", "short", 12345678, "with space", "semi;colon", "ü" * 9])
def test_tokens_that_cannot_be_used(token: object) -> None:
    with pytest.raises(FastTransferError, match=r"live\.token must be") as refused:
        ServerSettings("0.0.0.0", 0, False, token)  # type: ignore[arg-type]
    assert str(token) not in str(refused.value) or not token  # a secret is not printed


def test_large_bodies_are_refused(session: Session) -> None:
    client = TestClient(create_app(session, Access("127.0.0.1")), base_url="http://127.0.0.1:8642")
    own = {"origin": "http://127.0.0.1:8642", "content-type": "application/json"}
    whole = client.post("/state", content=b" " * (MAX_BODY + 1), headers=own)
    in_pieces = client.post("/state", content=(b" " * 1024 for _ in range(17)), headers=own)
    for answer in (whole, in_pieces):
        assert answer.status_code == 413
        assert "16384 bytes at most" in answer.text
    fits = client.post("/state", content=b'{"strength": 1}'.ljust(MAX_BODY), headers=own)
    assert fits.status_code == 200


def test_refused_requests_take_nothing_from_the_page() -> None:
    rates = RequestRates()
    answered = sum(rates.allows("192.168.1.9", port, False) for port in range(5000))
    assert REQUESTS_AT_ONCE <= answered < 5000
    assert rates.allows("192.168.1.9", 1, True)
    # One connection is limited, another one of the same address is not.
    assert sum(rates.allows("192.168.1.9", 2, True) for _ in range(5000)) < 5000
    assert rates.allows("192.168.1.9", 1, True)


@pytest.mark.slow
def test_the_command_beyond_loopback(tmp_path: Path) -> None:
    with command(tmp_path, "input=camera:pattern", "live.host=0.0.0.0") as (process, url):
        assert process.stderr is not None
        others = process.stderr.readline()
        assert others.startswith("from other machines: http://")
        place, _, token = url.partition("/?token=")
        assert others.rstrip().endswith(f"/?token={token}")
        assert len(token) >= 32
        assert httpx.get(place).status_code == 401
        assert httpx.get(url).status_code == 200
        socket, origin = place.replace("http", "ws"), place
        with pytest.raises(InvalidStatus):
            connect(f"{socket}/frames", origin=origin)  # type: ignore[arg-type]
        with connect(f"{socket}/frames?token={token}", origin=origin) as window:  # type: ignore[arg-type]
            window.send("next")
            assert window.recv(timeout=60)
