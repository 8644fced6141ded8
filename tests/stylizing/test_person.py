"""Models that find persons, on a tiny one that finds what is bright."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto
from PIL import Image

from fasttransfer.core.errors import FastTransferError
from fasttransfer.stylizing.person import PersonModel, find_person_model
from fasttransfer.stylizing.settings import MaskSettings
from tests.helpers.persons import make_person_model


def bright_right(width: int = 64, height: int = 48) -> Image.Image:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, width // 2 :] = 255
    return Image.fromarray(pixels)


@pytest.mark.parametrize("size", [(24, 32), ("height", "width")])
def test_of_a_size_or_any(tmp_path: Path, size: tuple[int | str, int | str]) -> None:
    layer = PersonModel(make_person_model(tmp_path / "m.onnx", size=size))(bright_right())
    assert layer.mode == "L"
    assert layer.size == ((32, 24) if size == (24, 32) else (512, 512))
    pixels = np.asarray(layer)
    middle = layer.width // 2
    assert (pixels[:, : middle - 1] == 0).all()
    assert (pixels[:, middle + 1 :] == 255).all()


@pytest.mark.parametrize(("channels", "sharp"), [(1, False), (2, True), (21, True)])
def test_values_before_a_sigmoid_and_classes(tmp_path: Path, channels: int, sharp: bool) -> None:
    path = make_person_model(tmp_path / "m.onnx", channels=channels, sharp=sharp)
    pixels = np.asarray(PersonModel(path)(bright_right()))
    assert (pixels[:, :15] == 0).all()
    assert (pixels[:, 17:] == 255).all()


def test_no_person_is_black(tmp_path: Path) -> None:
    model = PersonModel(make_person_model(tmp_path / "m.onnx"))
    assert (np.asarray(model(Image.new("RGB", (5, 70)))) == 0).all()


def test_threads(tmp_path: Path) -> None:
    model = PersonModel(make_person_model(tmp_path / "m.onnx"))
    images = [bright_right(20 + number, 30) for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(model, images))
    for image, found in zip(images, together, strict=True):
        assert np.array_equal(found, model(image))


def test_what_rembg_keeps_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("U2NET_HOME", "REMBG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    with pytest.raises(FastTransferError, match=r"mask=person needs a model.*rembg.new_session"):
        find_person_model(None)
    places = [".u2net/u2netp.onnx", ".rembg/models/u2net/u2net.onnx"]
    for place in (*places, ".u2net/u2net_human_seg.onnx"):  # each is better than those before
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        make_person_model(tmp_path / place)
        assert find_person_model(None) == tmp_path / place
    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "own"))
    (tmp_path / "own").mkdir()
    make_person_model(tmp_path / "own" / "u2net_human_seg.onnx")
    assert find_person_model(None) == tmp_path / "own" / "u2net_human_seg.onnx"


def test_what_is_no_such_model(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(FastTransferError, match=r"text\.onnx is no ONNX model"):
        PersonModel(tmp_path / "text.onnx")
    with pytest.raises(FastTransferError, match="does not exist"):
        PersonModel(tmp_path / "absent.onnx")
    doubles = make_person_model(tmp_path / "double.onnx", kind=TensorProto.DOUBLE)
    with pytest.raises(FastTransferError, match="takes other inputs than float RGB"):
        PersonModel(doubles)
    four = PersonModel(make_person_model(tmp_path / "four.onnx", channels=4))
    with pytest.raises(FastTransferError, match=r"returns \(1, 4, 24, 32\)"):
        four(bright_right())


def test_a_model_is_for_persons() -> None:
    with pytest.raises(FastTransferError, match=r"mask\.model=m\.onnx is for mask=person"):
        MaskSettings(path="mask.png", model="m.onnx")
