import subprocess
import sys
from collections import Counter
from itertools import chain, islice
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fasttransfer.core.errors import FastTransferError
from fasttransfer.data.crops import CropNumbers, PhotoCrops, RandomCrop
from fasttransfer.images.folders import pictures_below


def crops_of(paths, tmp_path, **changes) -> PhotoCrops:
    window = {"crop_size": 32, "photo_size": 64, "min_scale": 0.5, "max_scale": 1.5}
    settings = {"seed": 0, "max_pixels": 10**6, "report": tmp_path / "skipped.txt"}
    for name, value in changes.items():
        (window if name in window else settings)[name] = value
    return PhotoCrops(list(paths), RandomCrop(**window), **settings)


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
    epochs = [[crops.photo_of(5 * epoch + place) for place in range(5)] for epoch in range(6)]
    assert all(sorted(epoch) == [0, 1, 2, 3, 4] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_a_crop_covers_what_the_scale_says(tmp_path):
    """A ramp from 0 to 255 over 256 pixels: a crop's range of grays shows how wide it was."""
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
    broken = paths[crops.photo_of(0)]
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


FULL_SHARED_MEMORY = """
import resource
import torch
from torch.utils.data import DataLoader
from fasttransfer.data.crops import batch_of

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # of a file in /dev/shm, too
    crops = [(torch.zeros(3, 384, 384), number) for number in range(4)]
    try:
        next(iter(DataLoader(crops, batch_size=4, collate_fn=batch_of, num_workers=1)))
    except RuntimeError as error:
        print("shared memory" in str(error) or "/torch_" in str(error))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="how Linux shares memory")
def test_a_full_shared_memory_is_an_error_and_not_a_wait_without_end(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(FULL_SHARED_MEMORY)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert done.stdout == "True\n", done.stderr
