"""Small stylized pictures at the size of large photos."""

import pytest
import torch

from fasttransfer.images.regions import Region, grid
from fasttransfer.images.tensors import resize_to
from fasttransfer.stylizing.strokes import GuidedUpsampler


def test_one_color_stays_that_color() -> None:
    stylized, photo = torch.full((3, 10, 14), 0.3), torch.full((3, 10, 14), 0.6)
    large = GuidedUpsampler(stylized, photo, 40, 56)
    pixels = large.at(Region(0, 40, 0, 56), torch.full((3, 40, 56), 0.6))
    assert torch.allclose(pixels, torch.full((3, 40, 56), 0.3), atol=1e-6)


def test_regions_are_parts_of_the_whole() -> None:
    torch.manual_seed(0)
    photo = torch.rand(3, 70, 90)
    small = resize_to(photo, 21, 27)
    large = GuidedUpsampler(1 - small, small, 70, 90)
    whole = large.at(Region(0, 70, 0, 90), photo)
    for place in grid(70, 90, 32):
        rows, columns = place.within(Region(0, 70, 0, 90))
        assert torch.allclose(large.at(place, photo[:, rows, columns]), whole[:, rows, columns])


def test_the_photo_itself_comes_back_with_its_detail() -> None:
    """Where the style is the photo, brightness goes through fully, so no detail is missing."""
    torch.manual_seed(1)
    smooth = resize_to(torch.rand(3, 12, 12), 96, 96)
    photo = (smooth + 0.1 * torch.rand(1, 96, 96)).clamp(0, 1)
    small = resize_to(photo, 48, 48)
    pixels = GuidedUpsampler(small, small, 96, 96).at(Region(0, 96, 0, 96), photo)
    soft = resize_to(small, 96, 96)
    assert (pixels - photo).abs().mean() < 0.3 * (soft - photo).abs().mean()


@pytest.mark.parametrize("times", [2, 4])
def test_made_small_again_it_is_the_preview(times: int) -> None:
    torch.manual_seed(2)
    photo = resize_to(torch.rand(3, 20, 20), 40 * times, 60 * times)
    small = resize_to(photo, 40, 60)
    preview = resize_to(torch.rand(3, 10, 15), 40, 60)
    large = GuidedUpsampler(preview, small, 40 * times, 60 * times)
    printed = large.at(Region(0, 40 * times, 0, 60 * times), photo)
    assert (resize_to(printed, 40, 60) - preview).abs().mean() < 0.01
