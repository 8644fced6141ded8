"""What the page asks for, and who else may not: the application, and the command over a socket."""

import json
import posixpath
import re
import signal
import socket
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import av
import httpx
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from starlette.websockets import WebSocketDisconnect
from websockets.sync.client import connect

from fasttransfer.cli.infer import main
from fasttransfer.core.errors import FastTransferError
from fasttransfer.live.app import create_app
from fasttransfer.live.guard import Access, is_loopback, is_own_name
from fasttransfer.live.messages import decode
from fasttransfer.live.server import listen
from fasttransfer.live.session import Session
from tests.helpers.live import command, make_session, until

SCRIPT = Path(__file__).parents[2] / "infer.py"
HERE = "http://127.0.0.1:8642"
SOCKET = "ws://127.0.0.1:8642/frames"
OWN = {"origin": HERE}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    session = make_session(tmp_path_factory.mktemp("saved"))
    session.start()
    until(lambda: session.newest)
    yield session
    session.close()


@pytest.fixture
def client(session: Session) -> TestClient:
    return TestClient(create_app(session, Access("127.0.0.1")), base_url=HERE)


def test_page_and_all_it_loads_are_here(client: TestClient) -> None:
    page = client.get("/").text
    found = re.findall(r'(?:src|href)="([^"]+)"', page)
    for name in found:  # those that a script imports are found on the way
        assert name.startswith(("page/", "live/")), name
        answer = client.get(f"/{name}")
        assert answer.status_code == 200
        imported = re.findall(r'from "(\.\.?/[^"]+)"', answer.text)
        paths = [posixpath.normpath(f"{posixpath.dirname(name)}/{one}") for one in imported]
        found += [path for path in dict.fromkeys(paths) if path not in found]
        allowed = r"}://\$|http://www.w3.org|(?m:(^|\s)// .*$)"
        assert "//" not in re.sub(allowed, "", answer.text).replace('"/"', ""), name
    assert {"live/stream.js", "page/wipe.js"} <= set(found)
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert client.get("/docs").status_code == client.get("/openapi.json").status_code == 404


def test_pictures_one_for_each_request(client: TestClient) -> None:
    with client.websocket_connect(SOCKET, headers=OWN) as window:
        numbers = []
        for asked in ("next", "wipe", "next"):
            window.send_text(asked)
            header, stylized, content = decode(window.receive_bytes())
            while not stylized:  # the state alone, on a machine that is busy
                window.send_text(asked)
                header, stylized, content = decode(window.receive_bytes())
            numbers.append(header["number"])
            assert Image.open(BytesIO(stylized)).size == (64, 48)
            assert bool(content) == (asked == "wipe")
            assert header["style"] in ("wood", "ink")
        assert numbers == sorted(set(numbers))  # never the same again


def test_settings(client: TestClient, session: Session) -> None:
    answer = client.get("/state").json()
    assert answer["styles"] == ["wood", "ink"]
    assert "camera:pattern" in answer["cameras"]
    changes = {"style": "ink", "strength": 0.25, "color": "content"}
    answer = client.post("/state", json=changes, headers=OWN).json()
    assert {name: answer[name] for name in changes} == changes
    until(lambda: session.newest.choice.style == "ink")
    assert session.newest.choice.strength == 0.25


def test_thumbnails(client: TestClient) -> None:
    pictures = [client.get(f"/thumbnail/{number}").content for number in (0, 1)]
    assert [Image.open(BytesIO(one)).size for one in pictures] == [(160, 120)] * 2
    assert pictures[0] != pictures[1]
    for number in ("2", "-1"):
        assert client.get(f"/thumbnail/{number}").status_code == 404


def test_the_clock_is_that_of_the_pictures(client: TestClient) -> None:
    before = 1000 * time.time()
    assert before <= client.get("/clock").json()["now"] <= 1000 * time.time()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"style": "steel"}, "style=steel is none of wood, ink"),
        ({"camera": "camera:/etc/passwd"}, "is none of camera:browser, camera:pattern"),
        ({"strength": 2}, "strength:"),
        ({"strength": "much"}, "strength:"),
        ({"color": "gray"}, "color:"),
        ({"size": 3}, "size:"),
        ([], "valid"),
    ],
)
def test_settings_that_cannot_be(client: TestClient, body: object, words: str) -> None:
    answer = client.post("/state", json=body, headers=OWN)
    assert answer.status_code in (409, 422)
    assert words in answer.json()["message"]


def test_snapshot_and_download(client: TestClient, session: Session) -> None:
    saved = client.post("/snapshot", headers=OWN).json()
    assert Path(saved["path"]).parent == session.folder
    answer = client.get(saved["link"])
    assert "attachment" in answer.headers["content-disposition"]
    assert Image.open(BytesIO(answer.content)).format == "PNG"


def test_only_what_was_saved_is_given(client: TestClient, session: Session) -> None:
    (session.folder / "other.txt").write_text("private")
    for name in ("other.txt", "..%2f..%2fetc%2fpasswd", "../secret"):
        assert client.get(f"/saved/{name}").status_code == 404


def test_recording(client: TestClient, session: Session) -> None:
    answer = client.post("/recording", json={"on": True}, headers=OWN).json()
    until(lambda: session.state()["recording"])
    assert client.get(answer["link"]).status_code == 404  # not whole yet
    assert client.post("/recording", json={"on": False}, headers=OWN).json() == answer
    with av.open(BytesIO(client.get(answer["link"]).content)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 1
    assert client.post("/recording", json={"on": False}, headers=OWN).json() == {}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:3000"},  # another program of this machine
        {"origin": "http://localhost:8642"},  # is not what Host says
        {"origin": "https://127.0.0.1:8642"},
        {"origin": "http://evil.example", "host": "evil.example"},  # a name that points here
        {"host": "evil.example:8642", **OWN},
        {"host": "", **OWN},
        {},  # no browser sends that
    ],
)
def test_others_change_and_see_nothing(
    client: TestClient, session: Session, headers: dict[str, str]
) -> None:
    before = session.choice
    for path, body in (
        ("/state", {"strength": 0.9}),
        ("/snapshot", {}),
        ("/recording", {"on": True}),
    ):
        assert client.post(path, json=body, headers=headers).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(SOCKET, headers=dict(headers)),
    ):
        pass
    if headers:
        assert client.get("/state", headers=headers).status_code == 403
        assert client.get("/", headers=headers).status_code == 403
    assert session.choice == before
    assert session.state()["recording"] is None


def test_names_of_this_machine() -> None:
    for called in ("127.0.0.1:8642", "localhost", "LOCALHOST:9000", "[::1]:8642", "[::1]"):
        assert is_own_name(called, "127.0.0.1")
    for called in (
        "",
        "evil.example",
        "127.0.0.1.evil.example",
        "192.168.1.5:8642",
        "localhost.evil.example",
    ):
        assert not is_own_name(called, "127.0.0.1")
    # Open to the network: any address, which no foreign name is, and the names of the machine.
    for called in ("192.168.1.5:8642", "[fe80::1]:8642", f"{socket.gethostname()}:8642"):
        assert is_own_name(called, "0.0.0.0")
    assert not is_own_name("evil.example:8642", "0.0.0.0")
    assert is_loopback("127.0.0.1")
    assert is_loopback("localhost")
    assert not is_loopback("0.0.0.0")


def test_a_port_that_is_taken() -> None:
    with listen("127.0.0.1", 0) as first:
        taken = first.getsockname()[1]
        with listen("127.0.0.1", taken) as second:
            assert taken < second.getsockname()[1] <= taken + 20
    with pytest.raises(FastTransferError, match=r"live\.host=nowhere\.invalid"):
        listen("nowhere.invalid", 8642)
    with pytest.raises(FastTransferError, match=r"set live\.port="):
        listen("192.0.2.1", 8642)  # an address of nobody


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_command(tmp_path: Path, number: int, code: int) -> None:
    with command(tmp_path, "input=camera:pattern", "output=out") as (process, url):
        origin = {"origin": url.rstrip("/")}
        place = url.removeprefix("http:").rstrip("/")
        with connect(f"ws:{place}/frames", origin=origin["origin"]) as window:  # type: ignore[arg-type]
            stylized = b""
            while not stylized:
                window.send("next")
                message = window.recv(timeout=60)
                assert isinstance(message, bytes)
                header, stylized, _ = decode(message)
            assert Image.open(BytesIO(stylized)).size == (64, 48)
            assert header["style"] == "wood"
            answer = httpx.post(f"{url}recording", json={"on": True}, headers=origin).json()
            while not (header["recording"] or 0) > 0.1:
                window.send("next")
                header = decode(window.recv(timeout=60))[0]  # type: ignore[arg-type]
            assert not (tmp_path / "out" / answer["name"]).exists()
            process.send_signal(number)
            time.sleep(0.3)
            process.send_signal(number)  # a person who is impatient
            left = process.communicate(timeout=60)[1]
        assert process.returncode == code, left
        written = f"wrote {Path('out', answer['name'])}"
        assert left.split("\n") == ([written, "", "stopped", ""] if code == 130 else [written, ""])
    [path] = (tmp_path / "out").iterdir()  # the recording is whole, and nothing else is left
    assert path.name == answer["name"]
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 2


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["input=camera:61"], "camera 61"),
        (["input=camera:pattern", "live.origin=example.org"], "live.origin=example.org must be"),
        (["input=camera:none.mp4"], "none.mp4 does not exist"),
        (["input=[camera,camera:pattern]"], "must be one camera"),
        (["input=camera:pattern", "output=out.mp4"], "must be a folder"),
        (["input=camera:pattern", "live.quality=0"], "live.quality=0 must be"),
        (["input=camera:pattern", "size=big"], "size=big"),
        (["input=camera:pattern", "live.host=nowhere.invalid"], "live.host"),
    ],
)
def test_mistakes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: list[str],
    words: str,
) -> None:
    assert words in mistake(tmp_path, monkeypatch, capsys, *typed)


def test_a_missing_library_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "fastapi", None)
    monkeypatch.delitem(sys.modules, "fasttransfer.live.server")
    answer = mistake(tmp_path, monkeypatch, capsys, "input=camera:pattern")
    assert "needs fastapi" in answer
    assert 'python -m pip install "fasttransfer[live]"' in answer


def mistake(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *typed: str
) -> str:
    """The one sentence that a mistake in the command ends with."""
    monkeypatch.chdir(folder)
    own = ("engine=torch", "device=cpu", "live.port=0", "live.open_browser=false")
    monkeypatch.setattr(sys, "argv", ["infer.py", *own, *typed])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    answer = capsys.readouterr().err
    assert answer.count("\n") == 1
    return answer


def test_messages_are_json_and_pictures(session: Session) -> None:
    from fasttransfer.live.messages import encode

    header, stylized, content = decode(encode({"style": "wood"}, None, True))
    assert (header, stylized, content) == ({"style": "wood", "stylized": 0, "content": 0}, b"", b"")
    assert session.newest is not None
    header, stylized, content = decode(encode(session.state(), session.newest, True))
    assert stylized[:2] == content[:2] == b"\xff\xd8"
    assert json.dumps(header)
