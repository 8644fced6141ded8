"""A camera whose frames are masked."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fasttransfer.core.errors import FastTransferError
from fasttransfer.live.masks import CameraMasks
from fasttransfer.live.session import Session
from fasttransfer.stylizing.settings import MaskSettings
from tests.helpers.chromium import BROWSER, open_page
from tests.helpers.clips import make_clip
from tests.helpers.live import command, make_session, stylizers, until
from tests.helpers.persons import make_person_model


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    pixels = np.zeros((48, 64), np.uint8)
    pixels[:, 32:] = 255
    Image.fromarray(pixels).save("mask.png")
    make_person_model(Path("model.onnx"), size=(48, 64))
    return tmp_path


@pytest.mark.parametrize(
    ("settings", "stylized"),
    [
        ({"path": "mask.png"}, "right"),
        ({"path": "mask.png", "invert": True}, "left"),
        ({"strength": "mask.png"}, "right"),
        ({"path": "person", "model": "model.onnx"}, "left"),
        ({"path": "person", "model": "model.onnx", "invert": True}, "right"),
    ],
)
def test_a_still_and_what_a_model_finds(settings: dict[str, object], stylized: str) -> None:
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[:, :32] = 255  # bright on the left
    chosen = MaskSettings(feather=0, **settings)
    masks = CameraMasks(chosen)
    mask = masks(frame, masks.first, chosen.invert)
    assert mask is not None
    weights = mask.at(48, 64)[0]
    assert (weights[:, :32] == (stylized == "left")).all()
    assert (weights[:, 32:] == (stylized == "right")).all()


def test_without_settings_there_is_no_mask() -> None:
    masks = CameraMasks(MaskSettings())
    assert masks.first == "none"
    assert masks(np.zeros((4, 4, 3), np.uint8), "none", False) is None
    assert masks(np.zeros((4, 4, 3), np.uint8), "alpha", True) is None  # a frame has none


def test_a_session_shows_the_camera_where_the_mask_is_black(tmp_path: Path) -> None:
    settings = replace(make_session(tmp_path).settings, mask=MaskSettings(path="mask.png"))
    session = Session(stylizers("wood"), "camera:pattern", str(tmp_path), settings)
    session.start()
    try:
        until(lambda: session.newest)
        shown = session.newest
        assert shown is not None
        width = shown.content.shape[1]
        assert np.array_equal(
            shown.stylized[:, : width // 2 - 4], shown.content[:, : width // 2 - 4]
        )
        assert not np.array_equal(shown.stylized[:, -9:], shown.content[:, -9:])
    finally:
        session.close()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"path": "alpha"}, "mask=alpha is no still; a camera takes a still or person"),
        ({"path": "."}, "is no still"),
        ({"path": "clip.mp4"}, "mask=clip.mp4 is a video"),
        ({"path": "absent.png"}, "mask=absent.png does not exist"),
        ({"path": "mask.png", "regions": True}, "is for pictures and videos"),
    ],
)
def test_masks_that_a_camera_cannot_have(settings: dict[str, object], sentence: str) -> None:
    make_clip(Path("clip.mp4"), count=1)
    with pytest.raises(FastTransferError, match=sentence):
        CameraMasks(MaskSettings(**settings))


def test_what_a_page_may_choose_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "models"))  # nothing of rembg here
    monkeypatch.setenv("REMBG_HOME", str(tmp_path / "models"))
    masks = CameraMasks(MaskSettings(path="mask.png", feather=7))
    assert list(masks.offered) == ["none", "still", "alpha"]
    assert masks.settings("still", True) == MaskSettings(path="mask.png", feather=7, invert=True)
    assert masks.settings("alpha", False) == MaskSettings(path="alpha", feather=7)
    assert masks.settings("none", True) == MaskSettings(feather=7)
    masks = CameraMasks(MaskSettings(path="person", model="model.onnx"))
    assert list(masks.offered) == ["none", "person", "alpha"]
    assert masks.settings("person", False).model == "model.onnx"
    (tmp_path / "models").mkdir()
    make_person_model(tmp_path / "models" / "u2net.onnx")
    assert "person" in CameraMasks(MaskSettings()).offered


def test_a_session_changes_its_mask(tmp_path: Path) -> None:
    settings = replace(make_session(tmp_path).settings, mask=MaskSettings(path="mask.png"))
    session = Session(stylizers("wood"), "camera:pattern", str(tmp_path), settings)
    assert (session.choice.mask, session.photo_mask.path) == ("still", "mask.png")
    session.choose(mask="alpha", invert=True)
    assert session.photo_mask == MaskSettings(path="alpha", invert=True)
    assert session.state()["invert"] is True
    with pytest.raises(FastTransferError, match="mask=sky is none of none, still"):
        session.choose(mask="sky")


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome here")
def test_the_page_chooses_the_mask_of_camera_and_photo(tmp_path: Path) -> None:
    drop = """new Promise((done) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 });
      const context = canvas.getContext('2d');
      context.fillStyle = '#268'; context.fillRect(0, 0, 64, 48);
      canvas.toBlob((blob) => {
        const data = new DataTransfer();
        data.items.add(new File([blob], 'blue.png', { type: 'image/png' }));
        document.dispatchEvent(new DragEvent('drop', { dataTransfer: data, cancelable: true }));
        done(true);
      });
    })"""
    # The colors of the stylized photo on the left and on the right.
    colors = """(() => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 });
      const context = canvas.getContext('2d');
      context.drawImage(after, 0, 0);
      return [8, 56].map((x) => [...context.getImageData(x, 24, 1, 1).data.slice(0, 3)].join());
    })()"""
    kept = "34,102,136"
    choose = "mask.value = '{}'; mask.dispatchEvent(new Event('change'))"
    typed = ("input=camera:pattern", "mask=mask.png")
    with command(tmp_path, *typed) as (_, url), open_page(url) as page:
        page.window(1200, 800)
        page.until("window.drawn?.number > 1")
        offered = page.run("[...mask.options].map((option) => option.value)")
        assert offered[:2] == ["none", "still"]
        assert offered[-1] == "alpha"
        assert page.run("[mask.value, invert.hidden]") == ["still", False]
        page.run(drop)
        page.until("after.complete && after.naturalWidth")
        left, right = page.run(colors)
        assert left == kept != right
        first = page.run("after.src")
        page.press("i")
        page.until(f"invert.ariaPressed == 'true' && after.src != '{first}' && after.complete")
        left, right = page.run(colors)
        assert left != kept == right
        second = page.run("after.src")
        page.run(choose.format("none"))
        page.until(f"invert.hidden && after.src != '{second}' && after.complete")
        assert kept not in page.run(colors)
        state = page.run("fetch('/state').then((answer) => answer.json())")
        assert (state["mask"], state["invert"]) == ("none", True)
        assert page.problems == []
