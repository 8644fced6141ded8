import pytest
from PIL import Image

from fasttransfer.core.assets import BUNDLED_PHOTOS
from fasttransfer.core.errors import FastTransferError
from fasttransfer.data.findings import Findings
from fasttransfer.data.photos import photo_folder, usable_photos
from fasttransfer.images.folders import pictures_below
from tests.helpers.photos import make_photo


def test_folders_are_searched_to_the_bottom(tmp_path):
    names = ["b.jpg", "a.PNG", "below/deeper/c.webp", ".hidden.jpg", "notes.txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in pictures_below(tmp_path)]
    assert found == ["a.PNG", "b.jpg", "below/deeper/c.webp"]


def test_bad_photos_are_sorted_out_with_their_reason(photo_folder, tmp_path):
    for source in pictures_below(photo_folder):
        Image.open(source).save(tmp_path / source.name)
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "photo0.jpg").read_bytes()[:600])
    (tmp_path / "text.jpg").write_text("no picture")
    make_photo(tmp_path / "tiny.png", 20, 100)
    paths, skipped = usable_photos(tmp_path, Findings(32, 10**6))
    assert len(paths) == 5
    assert {path.name for path in skipped} == {"cut.jpg", "text.jpg", "tiny.png"}
    assert "20×100" in skipped[tmp_path / "tiny.png"]


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(FastTransferError, match="no picture"):
        usable_photos(tmp_path, Findings(32, 10**6))


def test_a_mostly_bad_folder_is_refused(tmp_path):
    make_photo(tmp_path / "good.jpg", 64, 64)
    (tmp_path / "bad1.jpg").touch()
    (tmp_path / "bad2.jpg").touch()
    with pytest.raises(FastTransferError, match=r"2 of the 3 pictures.*bad1.jpg is empty"):
        usable_photos(tmp_path, Findings(32, 10**6))


def test_a_missing_folder_is_named():
    with pytest.raises(FastTransferError, match="'nowhere' does not exist"):
        photo_folder("nowhere")


def test_the_bundled_photos_are_there_and_apart():
    train, probe, large = (list(pictures_below(photo_folder(name))) for name in BUNDLED_PHOTOS)
    assert len(train) >= 8
    assert len(probe) >= 4
    assert not {p.name for p in train} & {p.name for p in (*probe, *large)}
    assert all(max(Image.open(path).size) >= 1024 for path in large)
    readme = (BUNDLED_PHOTOS["bundled"].parent / "README.md").read_text()
    assert all(f"`{p.parent.name}/{p.name}`" in readme for p in (*train, *probe, *large))
    assert not usable_photos(photo_folder("bundled"), Findings(256, 10**7))[1]
