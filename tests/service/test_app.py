"""The service from outside, in this process: what it answers, and what it refuses."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from fasttransfer.images.tensors import to_pil, to_tensor
from fasttransfer.live.guard import Access
from fasttransfer.models.blending import StyleMixture
from fasttransfer.models.style_file import StyleFile
from fasttransfer.service.app import create_app
from fasttransfer.service.styles import OfferedStyles
from fasttransfer.service.work import Work
from fasttransfer.stylizing.stylizer import Stylizer
from tests.helpers.live import MEDIA, stylizers

LOOPBACK = Access("127.0.0.1")
HERE = "http://127.0.0.1:8643"
OURS = {one.name: one for one in stylizers("wood", "ink")}


def make_app(
    access: Access = LOOPBACK, seconds: float = 60, waiting: int = 4, gate: object = None
) -> FastAPI:
    def make(style: StyleFile | StyleMixture) -> Stylizer:
        if isinstance(gate, threading.Event):
            gate.wait()
        return OURS[style.name] if style.name in OURS else Stylizer(style)

    offered = OfferedStyles([one.style for one in OURS.values()], make, loaded=2)
    return create_app(offered, MEDIA, Work(1, waiting, seconds), access, max_bytes=200_000)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(make_app(), base_url=HERE) as client:
        yield client


def photo(width: int = 61, height: int = 40, kind: str = "PNG", mode: str = "RGB") -> bytes:
    shape = (height, width, 3) if mode == "RGB" else (height, width)
    levels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(levels).save(file, kind)
    return file.getvalue()


def pixels(contents: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(contents)).convert("RGB"))


def ask(client: TestClient, picture: bytes = photo(), mask: bytes | None = None, **asked: object):
    files = {"picture": ("/etc/passwd", picture)} | ({"mask": ("m", mask)} if mask else {})
    return client.post("/stylize", data={"style": "ink"} | asked, files=files)


def test_a_picture_is_that_of_the_stylizer(client):
    answer = ask(client)
    assert answer.headers["content-type"] == "image/png"
    expected = to_pil(OURS["ink"](to_tensor(Image.open(BytesIO(photo())))))
    assert np.array_equal(pixels(answer.content), np.asarray(expected))


def test_strength_size_color_and_format(client):
    assert np.array_equal(pixels(ask(client, strength=0).content), pixels(photo()))
    assert pixels(ask(client, size=30).content).shape == (20, 30, 3)
    assert ask(client, color="content").content != ask(client).content
    for kind in ("jpeg", "webp"):
        answer = ask(client, format=kind)
        assert answer.headers["content-type"] == f"image/{kind}"
        assert Image.open(BytesIO(answer.content)).format == kind.upper()
    assert Image.open(BytesIO(ask(client, photo(kind="JPEG")).content)).format == "JPEG"


def test_a_mask_keeps_the_rest_exactly(client):
    half = np.zeros((40, 61), np.uint8)
    half[:, :30] = 255
    file = BytesIO()
    Image.fromarray(half).save(file, "PNG")
    left, right = (
        pixels(ask(client, mask=file.getvalue(), feather=0, invert=invert).content)
        for invert in ("false", "true")
    )
    assert np.array_equal(left[:, 30:], pixels(photo())[:, 30:])
    assert np.array_equal(right[:, :30], pixels(photo())[:, :30])
    assert np.array_equal(left[:, :30], pixels(ask(client).content)[:, :30])


def test_a_blend_is_exact_at_its_ends(client):
    assert ask(client, style="ink:1,wood:0").content == ask(client).content


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"style": "inc"}, 404, "this service has no style 'inc'; did you mean ink?"),
        ({"style": "/etc/passwd"}, 404, "no style"),
        ({"style": "ink:0.5,/etc/passwd:0.5"}, 404, "no style '/etc/passwd'"),
        ({"style": "ink:0.5,wood"}, 422, "A blend names a weight for each style"),
        ({"style": "ink:0,wood:0"}, 422, "weights of a blend"),
        ({"style": ",".join(f"s{n}:1" for n in range(9))}, 422, "may have 8 styles"),
        ({"strength": "2"}, 422, "strength: Input should be less than or equal to 1"),
        ({"size": "9000"}, 422, "size"),
        ({"format": "gif"}, 422, "format"),
        ({"colour": "style"}, 422, "colour: Extra inputs are not permitted"),
        ({"picture": b"%!PS"}, 422, "the photo"),
        ({"picture": photo()[:60]}, 422, "the photo"),
        ({"picture": b""}, 422, "the photo"),
        ({"picture": photo(1500, 900, mode="L")[:3000]}, 413, "1500×900 pixels, more than the 1000000"),
        ({"picture": b"x" * 300_000}, 413, "a request may have 200000 bytes at most"),
        ({"mask": b"words"}, 422, "the mask"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_sentence_without_a_path(client, asked, status, said):
    answer = ask(client, **asked)
    assert answer.status_code == status
    message = answer.json()["message"]
    assert said in message
    assert "/tmp" not in message


def test_a_picture_is_required(client):
    answer = client.post("/stylize", data={"style": "ink"})
    assert (answer.status_code, answer.json()["message"]) == (422, "picture: Field required")


def test_styles_and_their_thumbnails(client):
    offered = client.get("/styles").json()
    assert [one["name"] for one in offered] == ["wood", "ink"]
    image = client.get(offered[1]["thumbnail"])
    assert Image.open(BytesIO(image.content)).format == "JPEG"
    assert client.get("/styles/none.jpg").status_code == 404


def test_the_description_loads_nothing_from_other_hosts(client):
    assert "/stylize" in client.get("/openapi.json").json()["paths"]
    page = client.get("/docs").text
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page)
    [script] = re.findall(r"""src=["']([^"']+\.js)["']""", page)
    assert client.get(script).status_code == 200


def test_prometheus_gets_counts(client):
    ask(client)
    ask(client, style="none")
    found = client.get("/metrics").text
    assert re.search(r'^fasttransfer_pictures_total\{status="200"\} [1-9]', found, re.MULTILINE)
    assert re.search(r'^fasttransfer_pictures_total\{status="404"\} [1-9]', found, re.MULTILINE)
    assert "fasttransfer_pictures_here 0.0" in found
    assert client.get("/health").json() == {"status": "ok"}


def test_who_finds_no_place_may_come_again():
    gate = threading.Event()
    with (
        TestClient(make_app(waiting=1, gate=gate), base_url=HERE) as client,
        ThreadPoolExecutor(2) as pool,
    ):
        first = [pool.submit(ask, client, style=name) for name in ("ink", "wood")]
        while "fasttransfer_pictures_here 2.0" not in client.get("/metrics").text:
            pass
        refused = ask(client)
        gate.set()
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        assert [one.result().status_code for one in first] == [200, 200]
        assert ask(client).status_code == 200


def test_what_takes_too_long_is_answered():
    gate = threading.Event()
    with TestClient(make_app(seconds=0.05, gate=gate), base_url=HERE) as client:
        answer = ask(client)
        gate.set()
        assert answer.status_code == 504
        assert "more than 0.05 seconds" in answer.json()["message"]


def test_the_token_opens_all_but_health():
    with TestClient(make_app(Access("0.0.0.0", "secret-token")), base_url=HERE) as client:
        assert client.get("/health").status_code == 200
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "secret-token"}):
            assert client.get("/styles", headers=headers).status_code == 401
        right = {"authorization": "Bearer secret-token"}
        assert client.get("/styles", headers=right).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"host": "evil.example"}, {"origin": "https://evil.example"}, {"host": ""}]
)
def test_other_sites_are_refused(client, headers):
    assert client.get("/styles", headers=headers).status_code == 403


def test_the_page_of_the_service_itself_may_use_it(client):
    assert client.get("/styles", headers={"origin": HERE}).status_code == 200
