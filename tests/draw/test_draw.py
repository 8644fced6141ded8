"""The style images that the project draws itself: the program, and the pictures bundled from it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from PIL import Image

import fasttransfer
from fasttransfer.draw import BUNDLED_SEEDS, STYLES, draw
from fasttransfer.draw.__main__ import main, save_whole
from fasttransfer.draw.motifs import MOTIFS, compose

SIZE = 96
SEED = 11
BUNDLED = Path(fasttransfer.__file__).parent / "assets" / "styles"


@cache
def drawn(name: str) -> Image.Image:
    """A picture that several tests look at, drawn once."""
    return draw(name, SIZE, SEED)


def mean_difference(first: Image.Image, second: Image.Image) -> float:
    """Mean absolute difference in gray levels: JPEG blurs the colors of fine dots."""
    planes = (np.asarray(image.convert("L"), np.float32) for image in (first, second))
    return float(np.abs(np.subtract(*planes)).mean())


def colorfulness(image: Image.Image) -> float:
    """Mean distance between the strongest and the weakest channel, 0 for gray."""
    pixels = np.asarray(image, np.float32)
    return float((pixels.max(-1) - pixels.min(-1)).mean())


@pytest.mark.parametrize("name", STYLES)
def test_a_style_is_a_textured_color_picture_of_the_size_asked_for(name: str) -> None:
    image = drawn(name)
    assert (image.mode, image.size) == ("RGB", (SIZE, SIZE))
    assert colorfulness(image) > 30
    tiles = np.asarray(image.convert("L"), np.float32).reshape(6, SIZE // 6, 6, SIZE // 6)
    spread = tiles.std(axis=(1, 3))
    assert np.median(spread) > 8, "texture everywhere, not only along a few outlines"
    assert len(np.unique(np.asarray(image).reshape(-1, 3) // 32, axis=0)) > 30


@pytest.mark.parametrize("name", STYLES)
def test_a_seed_always_draws_the_same_and_another_seed_another_picture(name: str) -> None:
    assert draw(name, SIZE, SEED).tobytes() == drawn(name).tobytes()
    with Image.open(BUNDLED / f"{name}.jpg") as image:
        assert BUNDLED_SEEDS[name] != SEED
        assert mean_difference(drawn(name), image.resize((SIZE, SIZE))) > 8


def test_the_same_seed_composes_the_same_scene_at_every_size() -> None:
    small, large = (draw("points", size, 3).resize((24, 24)) for size in (SIZE, 3 * SIZE))
    assert mean_difference(small, large) < 20
    assert mean_difference(small, draw("points", SIZE, 4).resize((24, 24))) > 20


@pytest.mark.parametrize("motif", MOTIFS)
def test_a_motif_covers_the_whole_square_with_many_colors(motif: str) -> None:
    scene, _ = compose(SIZE, np.random.default_rng(4), motif)
    assert scene.picture.shape == (SIZE, SIZE, 3)
    assert scene.picture.min() >= 0
    assert scene.picture.max() <= 1
    assert len(np.unique(scene.labels)) > 20
    assert np.bincount(scene.labels.ravel()).max() < 0.7 * SIZE * SIZE


@pytest.mark.parametrize("name", STYLES)
def test_every_style_is_bundled(name: str) -> None:
    path = BUNDLED / f"{name}.jpg"
    assert path.stat().st_size <= 350_000
    with Image.open(path) as image:
        assert (image.mode, image.size) == ("RGB", (768, 768))
        assert colorfulness(image.resize((64, 64))) > 30
    assert f"`{name}.jpg`" in (BUNDLED / "README.md").read_text(encoding="utf-8")
    assert name in BUNDLED_SEEDS


def test_nothing_else_is_bundled() -> None:
    assert {path.stem for path in BUNDLED.glob("*.jpg")} == set(STYLES)


def test_the_program_draws_the_styles_and_leaves_no_partial_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = {name: STYLES[name] for name in ("points", "watercolor")}
    monkeypatch.setattr("fasttransfer.draw.__main__.STYLES", quick)
    folder = tmp_path / "new" / "styles"
    main([str(folder), "--size", "64", "--seed", "1"])
    assert sorted(path.name for path in folder.iterdir()) == ["points.jpg", "watercolor.jpg"]
    assert capsys.readouterr().out.split() == [str(folder / f"{name}.jpg") for name in quick]
    with Image.open(folder / "points.jpg") as image:
        assert image.size == (64, 64)
        assert mean_difference(image, draw("points", 64, seed=1)) < 10


@pytest.mark.parametrize("name", ["points", "watercolor"])
def test_the_bundled_pictures_are_what_the_program_draws(name: str) -> None:
    with Image.open(BUNDLED / f"{name}.jpg") as image:
        assert mean_difference(image, draw(name, 768, BUNDLED_SEEDS[name])) < 10


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "oil.jpg"
    path.write_bytes(b"the old picture")

    def break_off(self: Image.Image, target: BinaryIO, **_: object) -> None:
        target.write(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(Image.Image, "save", break_off)
    with pytest.raises(OSError, match="no space"):
        save_whole(Image.new("RGB", (8, 8)), path)
    assert [item.name for item in tmp_path.iterdir()] == ["oil.jpg"]
    assert path.read_bytes() == b"the old picture"


def test_wrong_arguments_say_what_is_right(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"unknown style 'crayon': choose one of embroidery, .*"):
        draw("crayon")
    with pytest.raises(ValueError, match="at least 32"):
        draw("oil", size=8)
    with pytest.raises(ValueError, match="must not be negative"):
        draw("oil", SIZE, seed=-1)
    with pytest.raises(SystemExit):
        main([str(tmp_path), "--size", "8"])
