import os
from collections import Counter
from itertools import chain, islice

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fasttransfer.core.assets import BUNDLED_PHOTOS
from fasttransfer.core.errors import FastTransferError
from fasttransfer.data.crops import CropNumbers, PhotoCrops, RandomCrop, note_unusable
from fasttransfer.data.datamodule import ContentPhotos
from fasttransfer.data.findings import Findings
from fasttransfer.data.photos import photo_folder, read_probe, usable_photos
from fasttransfer.images.folders import pictures_below
from tests.helpers.photos import make_photo


def crops_of(paths, tmp_path, **changes) -> PhotoCrops:
    window = {"crop_size": 32, "photo_size": 64, "min_scale": 0.5, "max_scale": 1.5}
    settings = {"seed": 0, "max_pixels": 10**6, "report": tmp_path / "skipped.txt"}
    for name, value in changes.items():
        (window if name in window else settings)[name] = value
    return PhotoCrops(list(paths), RandomCrop(**window), **settings)


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
    told = (BUNDLED_PHOTOS["bundled"].parent / "README.md").read_text()
    assert all(f"`{p.parent.name}/{p.name}`" in told for p in (*train, *probe, *large))
    assert not usable_photos(photo_folder("bundled"), Findings(256, 10**7))[1]


def test_a_crop_follows_from_its_number(photo_folder, tmp_path):
    paths = list(pictures_below(photo_folder))
    crops, again = crops_of(paths, tmp_path), crops_of(paths, tmp_path)
    later = again.crop(17)  # asked for first: no state is carried from one crop to the next
    for number in (0, 17, 3):
        assert torch.equal(crops.crop(number), again.crop(number))
    assert torch.equal(later, crops.crop(17))
    assert not torch.equal(crops.crop(0), crops.crop(5))  # the same place of the next epoch
    assert not torch.equal(crops.crop(0), crops_of(paths, tmp_path, seed=1).crop(0))


def test_crops_follow_the_image_convention(photo_folder, tmp_path):
    for number in range(10):
        crop, number_of = crops_of(pictures_below(photo_folder), tmp_path)[number]
        assert number_of == number
        assert crop.shape == (3, 32, 32)
        assert crop.dtype == torch.float32
        assert 0 <= crop.min() <= crop.max() <= 1


def test_every_epoch_shows_every_photo_once_in_another_order(photo_folder, tmp_path):
    crops = crops_of(pictures_below(photo_folder), tmp_path)
    epochs = [[crops._photo(5 * epoch + place) for place in range(5)] for epoch in range(6)]
    assert all(sorted(epoch) == [0, 1, 2, 3, 4] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_a_crop_covers_what_the_scale_says(tmp_path):
    """A ramp from 0 to 255 over 256 pixels: a crop's range of grey tells how wide it was."""
    ramp = Image.linear_gradient("L").rotate(90).convert("RGB")
    ramp.save(tmp_path / "ramp.png")
    for scale, covered in ((0.5, 64), (1.0, 32), (2.0, 16)):
        crops = crops_of(
            [tmp_path / "ramp.png"], tmp_path, photo_size=256, min_scale=scale, max_scale=scale
        )
        for number in range(4):
            crop = crops.crop(number)
            width = 255 * float(crop.max() - crop.min())
            assert width == pytest.approx(covered * 31 / 32, abs=3)


def test_a_photo_that_breaks_meanwhile_is_replaced_and_named(photo_folder, tmp_path):
    paths = []
    for source in pictures_below(photo_folder):
        Image.open(source).save(tmp_path / source.name)
        paths.append(tmp_path / source.name)
    crops = crops_of(paths, tmp_path)
    broken = paths[crops._photo(0)]
    broken.write_bytes(b"")
    assert crops.crop(0).shape == (3, 32, 32)
    assert str(broken) in crops.report.read_text()
    for path in paths:
        path.unlink()
    with pytest.raises(FastTransferError, match="None of the photos"):
        crops.crop(0)


@given(
    batch=st.integers(1, 5),
    world=st.integers(1, 4),
    step=st.integers(0, 7),
    count=st.integers(1, 4),
)
def test_the_processes_share_the_numbers_and_a_resumed_run_goes_on(batch, world, step, count):
    def numbers(first_step: int, rank: int, steps: int) -> list[list[int]]:
        return list(islice(CropNumbers(batch, first_step, rank, world), steps))

    whole = [numbers(0, rank, step + count) for rank in range(world)]
    taken = Counter(chain.from_iterable(chain.from_iterable(whole)))
    assert taken == Counter(range(batch * world * (step + count)))
    for rank in range(world):
        assert numbers(step, rank, count) == whole[rank][step:]


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


def test_other_photos_than_before_are_told(photo_folder, tmp_path):
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


@pytest.mark.parametrize("text", ["", "[]", '{"min_side": 32', "[" * 9999, '{"photos": 3}'])
def test_damaged_findings_are_none(text, tmp_path):
    (tmp_path / "photos.json").write_text(text)
    assert Findings.read(tmp_path / "photos.json", 32, 10**6).photos == {}


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
