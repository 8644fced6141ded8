"""Files of the page: all of them whole, with names of their own, and not without end."""

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import httpx
import numpy as np
import pytest
from PIL import Image

from fasttransfer.live.guard import Access
from fasttransfer.live.limits import FILES_PER_MINUTE, OverQuotaError, Quota
from fasttransfer.live.saver import Saver, free_name
from fasttransfer.live.settings import SessionSettings
from fasttransfer.live.shown import Choice, Shown
from tests.helpers.live import MEDIA, SETTINGS, command, make_session, until


def shown(number: int = 1, style: str = "wood", side: int = 64) -> Shown:
    pixels = np.random.default_rng(number).integers(0, 256, (side, side, 3), np.uint8)
    return Shown(number, number / 10, pixels, pixels, 1.0, Choice(style, 1, "style", "camera"), 85)


def make_saver(folder: Path, max_saved: int = 10**9) -> Saver:
    return Saver(folder, SessionSettings(64, 30, 85, 1.0, max_saved, SETTINGS, MEDIA))


def test_thirty_snapshots_at_once(tmp_path: Path) -> None:
    saver = make_saver(tmp_path)
    with ThreadPoolExecutor(30) as pool:
        paths = list(pool.map(lambda n: saver.snapshot(shown(n)), range(30)))
    assert len(set(paths)) == 30
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    for number, path in enumerate(paths):
        assert np.array_equal(np.asarray(Image.open(path)), shown(number).stylized)


@pytest.mark.parametrize("style", ["x" * 300, "ü" * 300, "half \ud800 a surrogate", "..", "a/../b"])
def test_names_of_any_style(tmp_path: Path, style: str) -> None:
    saver = make_saver(tmp_path)
    paths = [saver.snapshot(shown(style=style)) for _ in range(2)]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert all(len(os.fsencode(path.name)) < 150 for path in paths)
    assert free_name(tmp_path, style, ".png", []).parent == tmp_path


def test_files_in_a_minute_are_limited(tmp_path: Path) -> None:
    saver = make_saver(tmp_path)
    for number in range(FILES_PER_MINUTE):
        saver.snapshot(shown(number, side=2))
    with pytest.raises(OverQuotaError, match="60 files a minute"):
        saver.snapshot(shown())
    assert len(list(tmp_path.iterdir())) == FILES_PER_MINUTE


def test_bytes_are_limited() -> None:
    quota = Quota(3_000_000_000)
    quota.add(1, 900_000_000)
    with pytest.raises(OverQuotaError, match="1000 MB a minute"):
        quota.add(1, 200_000_000)
    small = Quota(100)
    small.add(1, 60)
    with pytest.raises(OverQuotaError, match=r"set live\.max_saved="):
        small.add(1, 60)
    small.add(1, 40)


def test_a_recording_ends_at_the_limit_and_is_kept(tmp_path: Path) -> None:
    saver = make_saver(tmp_path, max_saved=200_000)
    path = saver.start("wood")
    for number in range(100):
        saver.write(shown(number, side=256))
    until(lambda: saver.seconds is None or saver.write(shown(200)))
    assert "may not save more" in saver.message
    assert [*saver.saved] == [path.name]
    assert list(tmp_path.iterdir()) == [path]
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) > 10


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits of this kind")
def test_a_full_disk_keeps_what_is_recorded(tmp_path: Path) -> None:
    import resource

    saver = make_saver(tmp_path)
    path = saver.start("wood")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        for number in range(300):
            saver.write(shown(number, side=128))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "cannot be written" in saver.message
    assert "its beginning is kept" in saver.message
    assert list(tmp_path.iterdir()) == [path] == list(saver.saved.values())
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 5


@pytest.mark.slow
def test_a_recording_survives_kill(tmp_path: Path) -> None:
    with command(tmp_path, "input=camera:pattern", "output=out") as (process, url):
        origin = {"origin": url.rstrip("/")}
        httpx.post(f"{url}recording", json={"on": True}, headers=origin)
        until(lambda: (httpx.get(f"{url}state").json()["recording"] or 0) > 4)
        [path] = (tmp_path / "out").iterdir()
        with av.open(str(path)) as container:  # at any time
            assert sum(1 for _ in container.decode(video=0)) > 10
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    [path] = (tmp_path / "out").iterdir()
    assert path.name.endswith("-unfinished.mp4")
    with av.open(str(path)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times[-1] - times[0] > 2


def test_a_recording_is_finished_with_its_index_in_front(tmp_path: Path) -> None:
    saver = make_saver(tmp_path)
    path = saver.start("wood")
    for number in range(12):
        saver.write(shown(number))
    assert saver.finish() == path
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert b"moof" not in data  # one index, which every player and editor reads
    assert saver.finish() is None


def test_state_of_a_style_with_half_a_surrogate(tmp_path: Path) -> None:
    from fastapi.testclient import TestClient

    from fasttransfer.live.app import create_app

    here = "http://127.0.0.1:8642"
    session = make_session(tmp_path, "camera:\udcff.mp4")  # a file name that is not UTF-8
    client = TestClient(create_app(session, Access("127.0.0.1")), base_url=here)
    assert client.get("/state").json()["camera"] == "camera:\udcff.mp4"
    own = {"origin": here, "content-type": "application/json"}
    for body in (
        b'{"style": "\\ud800"}',
        b'{"style": "' + b"x" * 300 + b'"}',
        b'{"camera": "\\udfff"}',
    ):
        answer = client.post("/state", content=body, headers=own)
        assert 400 <= answer.status_code < 500
        assert len(answer.json()["message"]) < 250
    began = time.monotonic()
    assert client.get(f"/saved/{'x' * 300}").status_code == 404
    assert time.monotonic() - began < 30
