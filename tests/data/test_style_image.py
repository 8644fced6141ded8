import pytest

from fasttransfer.core.errors import FastTransferError
from fasttransfer.data.style_image import StyleImage, bundled_style_images
from tests.helpers.photos import make_photo


def test_a_picture_file(tmp_path):
    path = make_photo(tmp_path / "my painting.jpg", 200, 100)
    style = StyleImage(str(path), size=128, name=None, license=None, strength=1)
    assert style.image.shape == (1, 3, 64, 128)
    assert 0 <= style.image.min() <= style.image.max() <= 1
    assert (style.name, style.license) == ("my painting", "not stated")
    named = StyleImage(str(path), size=400, name="ours", license="CC BY 4.0", strength=1)
    assert named.image.shape == (1, 3, 200, 400)  # enlarged: strokes come out larger
    assert (named.name, named.license) == ("ours", "CC BY 4.0")


@pytest.mark.parametrize("name", bundled_style_images())
def test_bundled_style_images_open(name):
    style = StyleImage(name, size=256, name=None, license=None, strength=1)
    assert max(style.image.shape) == 256
    assert style.license == "CC0-1.0"
    assert style.image.std() > 0.1  # something is drawn there


def test_there_are_enough_bundled_style_images():
    assert len(bundled_style_images()) >= 6


def test_mistakes(tmp_path):
    with pytest.raises(FastTransferError, match=r"no style image 'x.jpg'.*mosaic"):
        StyleImage("x.jpg", size=256, name=None, license=None, strength=1)
    narrow = make_photo(tmp_path / "narrow.png", 600, 20)
    with pytest.raises(FastTransferError, match="600×20"):
        StyleImage(str(narrow), size=600, name=None, license=None, strength=1)


@pytest.mark.parametrize("size", [0, 100.5, "big"])
def test_sizes_are_whole_pixels(size):
    with pytest.raises(FastTransferError, match=r"style\.size="):
        StyleImage("mosaic", size=size, name=None, license=None, strength=1)


def test_a_folder_of_its_name_does_not_hide_a_bundled_image(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mosaic").mkdir()
    assert StyleImage("mosaic", size=64, name=None, license=None, strength=1).license == "CC0-1.0"


def test_the_old_name_of_a_bundled_image(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    style = StyleImage("watercolour", size=64, name=None, license=None, strength=1)
    assert (style.name, style.license) == ("watercolor", "CC0-1.0")
    assert capsys.readouterr().err == "watercolour is now watercolor; the old name will go\n"
    make_photo(tmp_path / "own.png", 80, 80).rename(tmp_path / "watercolour")
    style = StyleImage("watercolour", size=64, name=None, license=None, strength=1)
    assert (style.name, style.license) == ("watercolour", "not stated")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("strength", [-1, "much", float("nan"), float("inf")])
def test_a_strength_is_a_number_from_0_on(strength):
    with pytest.raises(FastTransferError, match="from 0 on"):
        StyleImage("mosaic", size=64, name=None, license=None, strength=strength)
