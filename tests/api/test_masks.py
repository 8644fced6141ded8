"""Masks in every form that people have them in."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import fasttransfer as ft
from fasttransfer.models.style_file import save_style
from fasttransfer.models.transformer_net import TransformerNet
from tests.helpers.persons import make_person_model
from tests.helpers.photos import make_photo

WIDTH, HEIGHT = 60, 34


@pytest.fixture
def style(tmp_path: Path) -> ft.Style:
    torch.manual_seed(0)
    save_style(tmp_path / "w.safetensors", TransformerNet([4, 8], 1, 3, 2, False), {"name": "wood"})
    return ft.load(tmp_path / "w.safetensors", engine="torch", device="cpu", precision="float32")


@pytest.fixture
def pixels(tmp_path: Path) -> np.ndarray:
    with Image.open(make_photo(tmp_path / "photo.png", WIDTH, HEIGHT)) as image:
        return np.array(image)


def right(column: int = 30) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, column:] = 255
    return mask


def border(found: Any, photo: np.ndarray, full: np.ndarray) -> int:
    """The first column that is stylized; all before are exactly the photo's."""
    array = np.asarray(found)
    for column in range(WIDTH + 1):
        if np.array_equal(array[:, column:], full[:, column:]):
            assert np.array_equal(array[:, :column], photo[:, :column])
            return column
    raise AssertionError("nothing is stylized")


def test_every_form_of_mask(style: ft.Style, pixels: np.ndarray, tmp_path: Path) -> None:
    full = style(pixels)
    image = Image.fromarray(right())
    image.save(tmp_path / "mask.png")
    forms = [tmp_path / "mask.png", str(tmp_path / "mask.png"), image, image.convert("1")]
    forms += [
        image.convert("RGBA"),
        right(),
        right() > 0,
        right() / 255,
        np.stack([right()] * 3, -1),
    ]
    forms += [torch.from_numpy(right()), torch.from_numpy(right() / 255)[None], [right()]]
    for form in forms:
        assert border(style(pixels, mask=form, mask_feather=0), pixels, full) == 30
    assert border(style(pixels, right(), mask_feather=0), pixels, full) == 30
    left = style(pixels, mask=right(), mask_feather=0, mask_invert=True)
    assert border(left[:, ::-1], pixels[:, ::-1], full[:, ::-1]) == 30
    feathered = style(pixels, mask=right())  # by 2 pixels
    assert np.array_equal(feathered[:, :28], pixels[:, :28])
    assert np.array_equal(feathered[:, 32:], full[:, 32:])
    assert not np.array_equal(feathered[:, 30:32], full[:, 30:32])


def test_every_kind_of_picture_is_masked(
    style: ft.Style, pixels: np.ndarray, tmp_path: Path
) -> None:
    full = style(pixels)
    keywords: dict[str, Any] = {"mask": right(), "mask_feather": 0}
    for content in (tmp_path / "photo.png", Image.fromarray(pixels), pixels):
        assert border(style(content, **keywords), pixels, full) == 30
    planes = torch.from_numpy(pixels).permute(2, 0, 1)
    assert border(style(planes, **keywords).permute(1, 2, 0), pixels, full) == 30
    floats = planes / 255
    assert torch.equal(style(floats, **keywords)[..., :30], floats[..., :30])
    assert torch.equal(style(floats, **keywords)[..., 30:], style(floats)[..., 30:])


def test_a_list_or_batch_has_one_mask_or_one_for_each(style: ft.Style, pixels: np.ndarray) -> None:
    full = style(pixels)
    batch, masks = np.stack([pixels] * 3), [right(10), right(20), right(30)]
    for content in ([pixels] * 3, batch):
        for form in (masks, np.stack(masks), torch.from_numpy(np.stack(masks))[:, None]):
            found = style(content, mask=form, mask_feather=0)
            assert [border(one, pixels, full) for one in found] == [10, 20, 30]
        found = style(content, mask=right(15), mask_feather=0)
        assert [border(one, pixels, full) for one in found] == [15, 15, 15]
    tensor = torch.from_numpy(batch).permute(0, 3, 1, 2)
    found = style(tensor, mask=masks, mask_feather=0).permute(0, 2, 3, 1)
    assert [border(one, pixels, full) for one in found] == [10, 20, 30]


def test_alpha_and_strength_are_masks_too(style: ft.Style, pixels: np.ndarray) -> None:
    full = style(pixels)
    cut = np.dstack([pixels, right()])
    for content in (cut, Image.fromarray(cut)):
        found = np.asarray(style(content, mask="alpha", mask_feather=0))
        assert border(found[..., :3], pixels, full) == 30
        assert np.array_equal(found[..., 3], right())
    assert border(style(pixels, strength=right(20), mask_feather=0), pixels, full) == 20
    both = style(pixels, mask=right(20), strength=right(40), mask_feather=0)
    assert border(both, pixels, full) == 40
    assert np.array_equal(np.asarray(style(Image.fromarray(pixels), mask="alpha")), full)


def test_a_model_finds_persons(style: ft.Style, tmp_path: Path) -> None:
    pixels = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
    pixels[:, 40:] = 230
    keywords: dict[str, Any] = {
        "mask": "person",
        "mask_model": make_person_model(tmp_path / "m.onnx", size=(HEIGHT, WIDTH)),
        "mask_feather": 0,
    }
    full = style(pixels)
    assert border(style(pixels, **keywords), pixels, full) == 40
    for found in style([pixels, Image.fromarray(pixels)], **keywords):
        assert border(found, pixels, full) == 40
    inverted = style(pixels, mask_invert=True, **keywords)
    assert border(inverted[:, ::-1], pixels[:, ::-1], full[:, ::-1]) == 20


def test_stylize_takes_masks(pixels: np.ndarray, style: ft.Style, tmp_path: Path) -> None:
    options: dict[str, Any] = {"engine": "torch", "device": "cpu", "precision": "float32"}
    name = tmp_path / "w.safetensors"
    full = style(pixels)
    keywords: dict[str, Any] = {"mask": right(), "mask_feather": 0}
    assert border(ft.stylize(pixels, name, **keywords, **options), pixels, full) == 30
    weak = ft.stylize(pixels, name, strength=right(12), mask_feather=0, **options)
    assert border(weak, pixels, full) == 12
    small = ft.stylize(pixels, name, size=30, **keywords, **options)
    assert small.shape == (17, 30, 3)
    assert np.array_equal(small[:, :14], style(pixels, size=30, strength=0)[:, :14])


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"mask": "absent.png"}, "absent.png does not exist"),
        ({"mask": 3}, "mask=3 is no mask; give a path"),
        ({"mask": np.zeros((3, 4, 5, 6))}, r"mask of shape \(3, 4, 5, 6\) is no mask"),
        ({"mask": np.full((3, 4), 7.0)}, "mask of float64 with such values is no mask"),
        ({"mask": np.full((3, 4), np.nan)}, "mask of float64 with such values is no mask"),
        ({"mask": np.zeros((0, 4), np.uint8)}, "is no mask"),
        ({"mask": np.zeros((3, 4), np.int64)}, "mask of int64 with such values is no mask"),
        ({"mask": [np.zeros((3, 4))] * 2}, "There are 2 masks for 1 pictures"),
        ({"mask": []}, "There are 0 masks for 1 pictures"),
        ({"mask": "alpha"}, "mask='alpha' is for pictures that have alpha"),
        ({"mask": np.ones((3, 4)), "mask_feather": -1}, "mask.feather=-1 must be a whole number"),
        ({"mask_invert": True}, "there is none"),
        ({"mask_model": "m.onnx"}, "is for mask=person"),
        ({"mask": "person", "mask_model": "absent.onnx"}, "absent.onnx does not exist"),
        ({"strength": "absent.png"}, "absent.png does not exist"),
        ({"strength": 2}, "strength=2 must be a number from 0 to 1"),
        ({"strenth": 1}, "There is no option strenth here"),
    ],
)
def test_mistakes_get_one_sentence(
    style: ft.Style, pixels: np.ndarray, keywords: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ft.FastTransferError, match=sentence):
        style(pixels, **keywords)


def test_what_was_given_is_not_changed(style: ft.Style, pixels: np.ndarray) -> None:
    mask, image = right().astype(float) / 255, Image.fromarray(right())
    style(pixels, mask=mask, strength=image, mask_invert=True)
    assert np.array_equal(mask, right() / 255)
    assert np.array_equal(np.asarray(image), right())
    frozen = right()
    frozen.setflags(write=False)
    style(pixels, mask=frozen[:, ::-1])


def test_two_styles_meet_at_a_mask(style: ft.Style, pixels: np.ndarray, tmp_path: Path) -> None:
    torch.manual_seed(1)
    save_style(
        tmp_path / "s.safetensors", TransformerNet([4, 8], 1, 3, 2, False), {"name": "stone"}
    )
    stone = ft.load(tmp_path / "s.safetensors", engine="torch", device="cpu", precision="float32")
    for both in (style.beside(stone), style.beside(tmp_path / "s.safetensors")):
        assert both.name == "wood+stone"
        found = both(pixels, mask=right(), mask_feather=0)
        assert np.array_equal(found[:, 30:], style(pixels)[:, 30:])
        assert np.array_equal(found[:, :30], stone(pixels)[:, :30])
    assert np.array_equal(both([pixels], mask=right(), strength=0)[0], pixels)
    swapped = both(Image.fromarray(pixels), mask=right(), mask_feather=0, mask_invert=True)
    assert np.array_equal(np.asarray(swapped)[:, 30:], stone(pixels)[:, 30:])
    for act, message in (
        (lambda: both(pixels), "has two styles; give mask="),
        (lambda: both(pixels, mask=right(), strength=right()), "and a number as strength"),
        (lambda: both.save(tmp_path / "x"), "name one of them"),
        (lambda: both.export(tmp_path / "x.onnx"), "name one of them"),
        (lambda: both.blend(stone), "name one of them"),
        (lambda: ft.blend({stone: 1, both: 1}), "name one of them"),
        (lambda: both.beside(stone), "takes no third"),
        (lambda: stone.beside(both), "takes no third"),
    ):
        with pytest.raises(ft.FastTransferError, match=message):
            act()
