"""Masks of files: from the command line to the written picture."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fasttransfer.cli.infer import main
from fasttransfer.cli.main import main as command
from fasttransfer.models.style_file import save_style
from fasttransfer.models.transformer_net import TransformerNet
from tests.helpers.persons import make_person_model
from tests.helpers.photos import make_photo

SIZE = (67, 41)  # width and height


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_styles_and_photo()
    return tmp_path


def write_styles_and_photo() -> None:
    torch.manual_seed(0)
    for name in ("wood", "ink"):
        save_style(f"{name}.safetensors", TransformerNet([4, 8], 1, 3, 2, False), {"name": name})
    make_photo(Path("photo.png"), *SIZE)
    mask("mask.png", right=255)


def mask(path: str, *, left: int = 0, right: int = 0, size: tuple[int, int] = SIZE) -> Image.Image:
    """A mask with a vertical border in the middle, or at its middle row if it is taller than wide."""
    pixels = np.full((size[1], size[0]), left, np.uint8)
    pixels[:, size[0] // 2 :] = right
    image = Image.fromarray(pixels)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return image


def infer(monkeypatch: pytest.MonkeyPatch, *typed: str) -> int:
    words = ["infer.py", "engine=torch", "device=cpu", "style=wood.safetensors", "overwrite=true"]
    monkeypatch.setattr(sys, "argv", [*words, *typed])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def pixels(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """The photo in the first style, without a mask."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("full"))
        write_styles_and_photo()
        assert infer(patch, "input=photo.png", "output=full.png") == 0
        return pixels("full.png")


def test_the_photo_stays_where_the_mask_is_black(
    monkeypatch: pytest.MonkeyPatch, full: np.ndarray
) -> None:
    assert infer(monkeypatch, "input=photo.png", "output=out.png", "mask=mask.png") == 0
    out, photo, middle = pixels("out.png"), pixels("photo.png"), SIZE[0] // 2
    assert np.array_equal(out[:, : middle - 2], photo[:, : middle - 2])
    assert np.array_equal(out[:, middle + 2 :], full[:, middle + 2 :])
    assert not np.array_equal(out[:, middle : middle + 2], full[:, middle : middle + 2])


def test_invert_feather_and_the_options_of_the_command(
    monkeypatch: pytest.MonkeyPatch, full: np.ndarray
) -> None:
    typed = ["photo.png", "--style", "wood.safetensors", "--engine", "torch", "--device", "cpu"]
    options = ["--mask", "mask.png", "--feather", "0", "--invert-mask", "-o", "out.png"]
    monkeypatch.setattr(sys, "argv", ["fasttransfer", "stylize", *typed, *options])
    with pytest.raises(SystemExit, match="0"):
        command()
    out, photo, middle = pixels("out.png"), pixels("photo.png"), SIZE[0] // 2
    assert np.array_equal(out[:, middle:], photo[:, middle:])
    assert np.array_equal(out[:, :middle], full[:, :middle])


def test_strength_may_be_a_mask_and_both_are_multiplied(
    monkeypatch: pytest.MonkeyPatch, full: np.ndarray
) -> None:
    mask("strength.png", left=255, right=51)
    typed = ("input=photo.png", "output=out.png", "strength=strength.png", "mask.feather=0")
    assert infer(monkeypatch, *typed) == 0
    out, photo, middle = pixels("out.png"), pixels("photo.png"), SIZE[0] // 2
    expected = photo + 0.2 * (full - photo)
    assert np.array_equal(out[:, :middle], full[:, :middle])
    assert np.abs(out - expected)[:, middle:].max() <= 1
    assert infer(monkeypatch, *typed, "mask=mask.png") == 0
    both = pixels("out.png")
    assert np.array_equal(both[:, :middle], photo[:, :middle])
    assert np.array_equal(both[:, middle:], out[:, middle:])


@pytest.mark.parametrize("tiles", ["off", pytest.param("exact", marks=pytest.mark.slow)])
@pytest.mark.parametrize("settings", [(), ("color=content", "strength=0.6")])
def test_two_styles_in_two_regions(
    monkeypatch: pytest.MonkeyPatch, settings: tuple[str, ...], tiles: str
) -> None:
    common = ("input=photo.png", "precision=float32", "tiling.tile=64", f"tiles={tiles}", *settings)
    for name in ("wood", "ink"):
        assert infer(monkeypatch, *common, f"style={name}.safetensors", f"output={name}.png") == 0
    both = ("style=ink.safetensors,wood.safetensors", "mask=mask.png", "mask.regions=true")
    assert infer(monkeypatch, *common, *both, "output=out.png") == 0
    out, middle = pixels("out.png"), SIZE[0] // 2
    assert np.abs(out - pixels("wood.png"))[:, : middle - 2].max() <= 1
    assert np.abs(out - pixels("ink.png"))[:, middle + 2 :].max() <= 1
    assert np.abs(pixels("wood.png") - pixels("ink.png")).max() > 9


def test_two_styles_name_their_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    both = ("style=ink.safetensors,wood.safetensors", "mask=mask.png", "mask.regions=true")
    assert infer(monkeypatch, "input=photo.png", *both) == 0
    assert pixels("photo-ink-wood.png").shape == (SIZE[1], SIZE[0], 3)


@pytest.mark.parametrize("tiles", ["off", "exact"])
def test_a_model_finds_the_mask(monkeypatch: pytest.MonkeyPatch, tiles: str) -> None:
    make_person_model(Path("model.onnx"), size=(SIZE[1], SIZE[0]))
    photo = np.full((SIZE[1], SIZE[0], 3), 20, np.uint8)
    photo[:, 40:] = 230
    Image.fromarray(photo).save("photo.png")
    common = ("input=photo.png", f"tiles={tiles}", "precision=float32", "mask.feather=0")
    assert infer(monkeypatch, *common, "output=full.png") == 0
    typed = ("mask=person", "mask.model=model.onnx", "output=out.png")
    assert infer(monkeypatch, *common, *typed) == 0
    assert np.array_equal(pixels("out.png")[:, :40], photo[:, :40])
    assert np.array_equal(pixels("out.png")[:, 40:], pixels("full.png")[:, 40:])
    assert infer(monkeypatch, *common, *typed, "mask.invert=true") == 0
    assert np.array_equal(pixels("out.png")[:, 40:], photo[:, 40:])


def test_a_number_is_still_a_strength(monkeypatch: pytest.MonkeyPatch) -> None:
    assert infer(monkeypatch, "input=photo.png", "output=out.png", "strength=0") == 0
    assert np.array_equal(pixels("out.png"), pixels("photo.png"))


def test_a_folder_of_masks_by_name(
    monkeypatch: pytest.MonkeyPatch, full: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.png", "b.png", "below/a.png", "lost.png"):
        make_photo(Path("photos", name), *SIZE)
    mask("masks/a.tif", left=255, right=255)
    mask("masks/b.png")
    mask("masks/below/a.png")
    assert infer(monkeypatch, "input=photos", "output=out/", "mask=masks") == 1
    photo = pixels("photo.png")
    assert np.array_equal(pixels("out/a.png"), full)
    assert np.array_equal(pixels("out/b.png"), photo)
    assert np.array_equal(pixels("out/below/a.png"), photo)
    assert not Path("out/lost.png").exists()
    failed = [line for line in capsys.readouterr().err.splitlines() if "lost.png" in line]
    assert any("photos/lost.png has no mask in mask=masks" in line for line in failed)


def test_two_masks_for_one_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mask("masks/photo.tif")
    mask("masks/photo.bmp", left=255)
    assert infer(monkeypatch, "input=photo.png", "output=out.png", "mask=masks") == 1
    assert "photo.png has several masks: " in capsys.readouterr().err
    mask("masks/photo.png", left=255, right=255)  # of the same name: this one is meant
    assert infer(monkeypatch, "input=photo.png", "output=out.png", "mask=masks") == 0


def test_alpha_is_the_mask(monkeypatch: pytest.MonkeyPatch, full: np.ndarray) -> None:
    with Image.open("photo.png") as photo:
        photo.putalpha(Image.open("mask.png"))
        photo.save("cut.png")
    assert infer(monkeypatch, "input=cut.png", "output=out.png", "mask=alpha") == 0
    out, before, middle = pixels("out.png"), pixels("cut.png"), SIZE[0] // 2
    assert np.array_equal(out[..., 3], before[..., 3])
    assert np.array_equal(out[:, : middle - 2], before[:, : middle - 2])
    assert np.array_equal(out[:, middle + 2 :, :3], full[:, middle + 2 :])


def test_alpha_of_an_opaque_picture_is_white(
    monkeypatch: pytest.MonkeyPatch, full: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    assert infer(monkeypatch, "input=photo.png", "output=out.png", "mask=alpha") == 0
    assert np.array_equal(pixels("out.png"), full)
    assert "is opaque, so its alpha masks nothing" in capsys.readouterr().err


def test_the_mask_fits_the_photo_as_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying, shown upright
    with Image.open("photo.png") as photo:
        photo.save("turned.png", exif=exif)
    mask("upright.png", right=255, size=(SIZE[1], SIZE[0]))
    typed = ("input=turned.png", "output=out.png", "mask=upright.png", "mask.feather=0")
    assert infer(monkeypatch, *typed) == 0
    out, shown = pixels("out.png"), np.rot90(pixels("photo.png"), -1)
    assert np.array_equal(out[:, : SIZE[1] // 2], shown[:, : SIZE[1] // 2])
    assert (out[:, SIZE[1] // 2 :] != shown[:, SIZE[1] // 2 :]).any()


def test_other_proportions_are_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mask("square.png", left=255, right=255, size=(30, 30))
    assert infer(monkeypatch, "input=photo.png", "output=out.png", "mask=square.png") == 0
    assert "has other proportions than its mask" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (["mask=absent.png"], "mask=absent.png does not exist; write a picture"),
        (["mask=notes.txt"], "mask=notes.txt cannot be used as a mask: "),
        (["mask=empty"], "mask=empty is a folder without masks"),
        (["mask=mask.png", "mask.feather=-1"], "mask.feather=-1 must be a whole number from 0 on"),
        (["mask=mask.png", "mask.feather=wide"], "mask.feather=wide must be a number"),
        (["mask.invert=true"], "there is none; write mask="),
        (["strength=high"], "strength=high does not exist; write a number from 0 to 1, a picture"),
        (["strength=0,5"], "strength=0,5 must be a number; write 0.5"),
        (["strength=1.5"], "strength=1.5 must be a number from 0 to 1"),
        (["mask=5"], "mask has settings of its own"),
        (["mask=mask.png", "task=volume"], "mask=mask.png is a mask, and masks are for pictures"),
        (["mask=person", "mask.model=absent.onnx"], "absent.onnx does not exist"),
        (["mask=person", "mask.model=notes.txt"], "notes.txt is no ONNX model"),
        (["mask.regions=true"], "mask.regions=true (--regions) needs a mask"),
        (["mask=mask.png", "mask.regions=true"], "takes two styles, such as --style mosaic,udnie"),
        (["strength=mask.png", "task=compare"], "leave it out with task=compare"),
    ],
)
def test_mistakes_end_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: list[str],
    sentence: str,
) -> None:
    Path("notes.txt").write_text("no picture")
    Path("empty").mkdir()
    assert infer(monkeypatch, "input=photo.png", "output=out.png", *typed) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert len(error.strip().splitlines()) == 1
    assert not Path("out.png").exists()


@pytest.mark.parametrize("option", [["--mask", "mask.png"], ["--strength", "mask.png"]])
def test_an_option_and_its_setting_are_two_masks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: list[str]
) -> None:
    name = option[0][2:]
    monkeypatch.setattr(
        sys, "argv", ["fasttransfer", "photo.png", *option, f"{name}=other.png", "-o", "out.png"]
    )
    with pytest.raises(SystemExit, match="2"):
        command()
    assert (
        f"mask.{'path' if name == 'mask' else 'strength'} is given twice" in capsys.readouterr().err
    )
