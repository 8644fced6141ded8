"""Photos that a page sends: what comes back, and what is refused."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from fasttransfer.images.tensors import to_pil, to_tensor
from fasttransfer.live.app import create_app
from fasttransfer.live.guard import Access
from fasttransfer.live.limits import MAX_BODY, MAX_PHOTO, OverQuotaError
from fasttransfer.live.photos import MOST, Photos
from fasttransfer.live.session import Session
from tests.helpers.chromium import BROWSER, open_page
from tests.helpers.live import command, make_session

HERE = "http://127.0.0.1:8642"
OWN = {"origin": HERE}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return make_session(tmp_path_factory.mktemp("saved"))  # no camera runs


@pytest.fixture
def client(session: Session) -> Iterator[TestClient]:
    with TestClient(create_app(session, Access("127.0.0.1")), base_url=HERE) as client:
        yield client


def photo(width: int = 217, height: int = 133, kind: str = "PNG", **options: object) -> bytes:
    levels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(levels).save(file, kind, **options)
    return file.getvalue()


def test_a_photo_as_the_page_is_set(client: TestClient, session: Session) -> None:
    session.choose(style="ink", strength=0.5, color="content")
    answer = client.post("/photo", content=photo(), headers=OWN)
    assert answer.headers["content-type"] == "image/png"
    stylizer = session.stylizer
    assert stylizer.name == "ink"
    expected = to_pil(stylizer(to_tensor(Image.open(BytesIO(photo())))))
    assert np.array_equal(np.asarray(Image.open(BytesIO(answer.content))), np.asarray(expected))
    session.choose(style="wood", strength=1.0, color="style")
    other = client.post("/photo", content=photo(), headers=OWN)
    assert other.content != answer.content


def test_a_photo_of_a_phone_is_upright(client: TestClient) -> None:
    exif = Image.Exif()
    exif[274], exif[306] = 6, "2024:05:06 07:08:09"  # turned by 90°, and the date
    answer = client.post("/photo", content=photo(64, 40, "JPEG", exif=exif), headers=OWN)
    assert answer.headers["content-type"] == "image/jpeg"
    picture = Image.open(BytesIO(answer.content))
    assert picture.size == (40, 64)
    assert picture.getexif()[306] == "2024:05:06 07:08:09"


def test_transparency_is_kept(client: TestClient) -> None:
    file = BytesIO()
    Image.new("RGBA", (40, 30), (200, 10, 10, 77)).save(file, "PNG")
    answer = client.post("/photo", content=file.getvalue(), headers=OWN)
    assert np.asarray(Image.open(BytesIO(answer.content)))[..., 3].tolist() == [[77] * 40] * 30


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"", "the photo is empty"),
        (b"no picture at all", "the photo is not a picture"),
        (b"%!PS-Adobe-3.0", "the photo is not a picture"),
        (photo()[:300], "the photo is damaged"),
        (photo(1001, 1000), "1001×1000 pixels"),
    ],
)
def test_what_is_no_photo(client: TestClient, sent: bytes, words: str) -> None:
    answer = client.post("/photo", content=sent, headers=OWN)
    assert answer.status_code == 409
    said = answer.json()["message"]
    assert words in said
    assert "/" not in said  # no folder of this machine


def test_only_photos_may_be_large(client: TestClient) -> None:
    large = photo(200, 200)
    assert len(large) > MAX_BODY
    assert client.post("/photo", content=large, headers=OWN).status_code == 200
    assert client.post("/snapshot", content=large, headers=OWN).status_code == 413
    announced = OWN | {"content-length": str(MAX_PHOTO + 1)}
    answer = client.post("/photo", content=b"", headers=announced)
    assert answer.status_code == 413
    assert f"{MAX_PHOTO} bytes at most" in answer.text
    for headers in ({}, {"origin": "http://evil.example"}):
        assert client.post("/photo", content=photo(), headers=headers).status_code == 403


def test_too_many_photos_at_once(session: Session) -> None:
    photos = Photos(session.settings.media)

    async def send_all() -> list[object]:
        gate = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            await gate.wait()
            yield photo()

        waiting = [
            asyncio.create_task(photos.answer(body(), session.stylizer, session.photo_mask))
            for _ in range(MOST)
        ]
        await asyncio.sleep(0)  # all of them wait for their first bytes
        further = asyncio.create_task(photos.answer(body(), session.stylizer, session.photo_mask))
        gate.set()
        return await asyncio.gather(*waiting, further, return_exceptions=True)

    *first, last = asyncio.run(send_all())
    assert len({one[0] for one in first}) == 1
    assert isinstance(last, OverQuotaError)
    assert len(asyncio.run(send_all())) == MOST + 1  # there is room again


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome here")
def test_a_photo_is_dropped_on_the_page(tmp_path: Path) -> None:
    make = """new Promise((done) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 333, height: 217 });
      const context = canvas.getContext('2d');
      context.fillStyle = '#268'; context.fillRect(0, 0, 333, 217);
      context.fillStyle = '#fb3'; context.fillRect(60, 40, 120, 90);
      canvas.toBlob((blob) => {
        const data = new DataTransfer();
        data.items.add(new File([blob], 'my photo.png', { type: 'image/png' }));
        document.dispatchEvent(new DragEvent('drop', { dataTransfer: data, cancelable: true }));
        done(true);
      });
    })"""
    after = "document.getElementById('after')"
    with command(tmp_path, "input=camera:browser") as (_, url), open_page(url) as page:
        page.until("document.querySelector('#welcome')?.hidden === false")  # no camera at all
        page.run(make)
        page.until(f"{after}.complete && {after}.naturalWidth")
        assert page.run(f"[{after}.naturalWidth, {after}.naturalHeight]") == [333, 217]
        assert page.run("download.download") == "my photo-wood.png"
        page.until("document.getElementById('pixels').textContent == '333 × 217'")
        # Before and after, with the handle; another style makes another picture.
        page.until("document.body.classList.contains('wiping')")
        assert page.run("document.getElementById('before').naturalWidth") == 333
        first = page.run(f"{after}.src")
        page.press("2")
        page.until(f"{after}.src != '{first}' && {after}.complete && {after}.naturalWidth == 333")
        assert page.run("download.download") == "my photo-ink.png"
        page.press("Escape")
        page.until("!document.body.classList.contains('photo') && !welcome.hidden")
        assert page.problems == []
