"""The picture for other programs: a virtual camera, and the page without controls."""

import importlib
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.libraries import is_installed
from fasttransfer.live.session import Session
from fasttransfer.live.virtual_camera import fitted, virtual_camera
from tests.helpers.chromium import BROWSER, open_page
from tests.helpers.live import command, make_session, running, stylizers, until


class Kept:
    """A backend of pyvirtualcam that keeps what it gets."""

    sent: list[np.ndarray] = []  # noqa: RUF012

    def __init__(self, *, width: int, height: int, **_: object) -> None:
        self._shape = (height, width, 3)

    def send(self, frame: np.ndarray) -> None:
        self.sent.append(frame.reshape(self._shape).copy())

    def close(self) -> None:
        self.sent.append(np.zeros(0))

    def device(self) -> str:
        return "kept"

    def native_fourcc(self) -> None:
        return None


def test_a_missing_library_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with (
        pytest.raises(FastTransferError, match=r'install "fasttransfer\[virtual-camera\]"$'),
        virtual_camera(make_session(tmp_path)),
    ):
        pass


@pytest.mark.skipif(not is_installed("pyvirtualcam"), reason="pyvirtualcam is not installed")
def test_pictures_reach_the_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = importlib.import_module("pyvirtualcam.camera")
    session = make_session(tmp_path)
    monkeypatch.setattr(library, "BACKENDS", {})
    with (
        pytest.raises(FastTransferError, match=r"finds no virtual camera .* use the page /clean$"),
        virtual_camera(session),
    ):
        pass
    library.register_backend("kept", Kept)
    with running(session), virtual_camera(session):
        until(lambda: Kept.sent)
    assert Kept.sent[-1].size == 0  # it is closed
    assert Kept.sent[0].shape == (48, 64, 3)
    assert Kept.sent[0].std() > 10


def test_pictures_of_another_shape_get_borders() -> None:
    wide = np.full((10, 40, 3), 200, np.uint8)
    picture = fitted(wide, 64, 48)
    assert picture.shape == (48, 64, 3)
    assert (picture[16:32] == 200).all()
    assert not picture[:16].any()
    assert not picture[32:].any()
    high = fitted(np.full((96, 32, 3), 9, np.uint8), 64, 48)
    assert (high[:, 24:40] == 9).all()
    assert not high[:, :24].any()
    same = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    assert np.array_equal(fitted(same, 64, 48), same)


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome here")
def test_the_page_without_controls(tmp_path: Path) -> None:
    typed = ("input=camera:pattern", "live.token=a-token-of-mine")
    clean = "/clean?token="
    with (
        command(tmp_path, *typed) as (process, url),
        open_page(url.replace("/?token=", clean)) as page,
    ):
        page.until("window.drawn?.number > 2")
        assert page.run("[stylized.width, stylized.height]") == [64, 48]
        assert page.run("document.querySelectorAll('button, input, select').length") == 0
        assert page.run(
            "stylized.clientWidth == innerWidth && stylized.clientHeight == innerHeight"
        )
        process.kill()
        page.until("getComputedStyle(stylized).visibility == 'hidden'")  # and no old picture stays


def test_the_setting_is_a_switch(tmp_path: Path) -> None:
    settings = make_session(tmp_path).settings
    with pytest.raises(FastTransferError, match=r"live\.virtual_camera=yes must be true or false"):
        Session(stylizers("wood"), "camera:pattern", None, replace(settings, virtual_camera="yes"))
