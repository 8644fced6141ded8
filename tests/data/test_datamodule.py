import os

import pytest
from PIL import Image

from fasttransfer.core.errors import FastTransferError
from fasttransfer.data.crops import note_unusable
from fasttransfer.data.datamodule import ContentPhotos
from fasttransfer.data.findings import Findings
from fasttransfer.data.photos import read_probe, usable_photos
from fasttransfer.images.folders import pictures_below
from tests.helpers.photos import make_photo


def data_of(root, probe, run_dir, **changes) -> ContentPhotos:
    settings = {
        "root": str(root),
        "probe": str(probe),
        "probe_size": 64,
        "probe_count": 8,
        "batch_size": 2,
        "crop_size": 32,
        "photo_size": 64,
        "min_scale": 0.5,
        "max_scale": 1.5,
        "min_side": 32,
        "max_pixels": 10**6,
        "workers": 0,
        "seed": 0,
        "run_dir": str(run_dir),
    }
    return ContentPhotos.of(**(settings | changes))


def test_probe_photos_are_never_trained_on(photo_folder, tmp_path):
    data = data_of(photo_folder, photo_folder / "below", tmp_path)
    assert len(data.paths) == 4
    assert not {path.resolve() for path in data.paths} & set(data.probe)
    with pytest.raises(FastTransferError, match="is also a probe photo"):
        data_of(photo_folder, photo_folder, tmp_path)


def test_probe_photos_are_reduced(photo_folder):
    probe = read_probe(photo_folder, 40, 3, 10**6)
    assert len(probe) == 3
    assert all(max(photo.shape) == 40 for photo in probe.values())


def test_skipped_photos_are_named_in_the_run_folder(photo_folder, tmp_path):
    root = tmp_path / "photos"
    for number in range(3):
        make_photo(root / f"{number}.jpg", 64, 64, seed=number)
    (root / "bad.jpg").touch()
    data = data_of(root, photo_folder, tmp_path / "run")
    data.prepare_data()
    assert "bad.jpg is empty" in (tmp_path / "run" / "skipped_photos.txt").read_text()


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch_size": 0},
        {"crop_size": 4},
        {"crop_size": "big"},
        {"photo_size": 0},
        {"probe_size": 0},
        {"probe_count": 0},
        {"workers": -1},
        {"min_scale": 0},
        {"min_scale": 2.0},
    ],
    ids=str,
)
def test_impossible_settings_are_refused(wrong, photo_folder, tmp_path):
    with pytest.raises(FastTransferError, match=next(iter(wrong))):
        data_of(photo_folder, photo_folder / "below", tmp_path, **wrong)


def test_other_photos_than_before_are_reported(photo_folder, tmp_path):
    data = data_of(photo_folder, photo_folder / "below", tmp_path)
    data.load_state_dict(data.state_dict())
    before = data.state_dict()
    data.paths = data.paths[1:]
    with pytest.warns(UserWarning, match="photos have changed"):
        data.load_state_dict(before)


@pytest.mark.parametrize("side", ["wide", "high"])
def test_a_probe_photo_too_narrow_to_be_scored_is_left_out(side, tmp_path):
    size = (2000, 20) if side == "wide" else (20, 2000)
    make_photo(tmp_path / "a.jpg", *size)
    with pytest.raises(FastTransferError, match=r"no probe photo: .*a\.jpg has .* too few"):
        read_probe(tmp_path, 384, 8, 10**6)
    make_photo(tmp_path / "b.jpg", 64, 48)
    (tmp_path / "c.jpg").write_bytes(b"no picture")
    assert [path.name for path in read_probe(tmp_path, 384, 8, 10**6)] == ["b.jpg"]


def test_what_was_found_is_not_looked_for_again(photo_folder, tmp_path):
    for source in pictures_below(photo_folder):
        Image.open(source).save(tmp_path / source.name)
    odd = tmp_path / os.fsdecode(b"caf\xe9.jpg")
    Image.open(next(tmp_path.glob("*.jpg"))).save(tmp_path / "x.jpg")
    (tmp_path / "x.jpg").rename(odd)
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    first = Findings(32, 10**6)
    expected = usable_photos(tmp_path, first)
    assert odd in expected[0]
    first.write(tmp_path / "photos.json")
    kept = Findings.read(tmp_path / "photos.json", 32, 10**6)
    assert kept == first
    for path in expected[0]:  # what is known is not opened
        os.truncate(path, 0)
        size, changed, _ = kept.photos[str(path)]
        os.truncate(path, size)
        os.utime(path, ns=(changed, changed))
    assert usable_photos(tmp_path, kept) == expected
    assert Findings.read(tmp_path / "photos.json", 33, 10**6).photos == {}
    for path in expected[0][:1]:  # but what has changed since is
        path.write_bytes(b"no picture")
    assert len(usable_photos(tmp_path, kept)[0]) == len(expected[0]) - 1


def test_names_that_are_not_utf8_are_trained_on_and_named(photo_folder, tmp_path):
    root = tmp_path / "photos"
    for number, source in enumerate(pictures_below(photo_folder)):
        root.mkdir(exist_ok=True)
        Image.open(source).save(root / "x.png")
        (root / "x.png").rename(root / os.fsdecode(b"\xe9%d.png" % number))
    (root / os.fsdecode(b"bad\xff.jpg")).write_bytes(b"no picture")
    data = data_of(root, photo_folder, tmp_path / "run")
    assert data.number == 5
    data.prepare_data()
    assert r"bad\xff.jpg" in (tmp_path / "run" / "skipped_photos.txt").read_text()
    assert len(data.state_dict()["photos"]) == 64
    note_unusable(
        tmp_path / "run" / "skipped_photos.txt", f"{root / os.fsdecode(bytes([0xFE]))}\n is gone"
    )
    assert (tmp_path / "run" / "skipped_photos.txt").read_text().endswith("/\\xfe\\n is gone\n")
