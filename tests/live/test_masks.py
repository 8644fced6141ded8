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
from tests.helpers.clips import make_clip
from tests.helpers.live import make_session, stylizers, until
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
    mask = CameraMasks(MaskSettings(feather=0, **settings))(frame)
    assert mask is not None
    weights = mask.at(48, 64)[0]
    assert (weights[:, :32] == (stylized == "left")).all()
    assert (weights[:, 32:] == (stylized == "right")).all()


def test_without_settings_there_is_no_mask() -> None:
    assert CameraMasks(MaskSettings())(np.zeros((4, 4, 3), np.uint8)) is None


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
