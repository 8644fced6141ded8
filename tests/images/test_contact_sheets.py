import torch

from fasttransfer.images.contact_sheets import (
    CAPTION_HEIGHT,
    GAP,
    PHOTO_HEIGHT,
    SHEET_WIDTH,
    captioned,
    contact_sheet,
    side_by_side,
)


def test_side_by_side_scales_to_the_height_of_the_first():
    black, gray = torch.zeros(3, 20, 30), torch.full((3, 40, 40), 0.5)
    row = side_by_side([black, gray])
    assert row.shape == (3, 20, 30 + GAP + 20)
    assert (row[:, :, :30] == 0).all()
    assert (row[:, :, 30 : 30 + GAP] == 1).all()
    assert torch.allclose(row[:, :, -20:], torch.tensor(0.5), atol=1e-6)


def test_a_contact_sheet_shows_each_photo_over_its_stylized_picture():
    contents = [torch.zeros(3, 64, 96)] * 3
    stylized = [torch.full((3, 64, 96), 0.25)] * 3
    sheet = contact_sheet(contents, stylized, torch.full((3, 50, 50), 0.75))
    width = PHOTO_HEIGHT * 96 // 64
    assert sheet.shape == (3, 2 * PHOTO_HEIGHT + GAP, PHOTO_HEIGHT + 3 * (GAP + width))
    left = PHOTO_HEIGHT + GAP + width // 2
    assert torch.allclose(sheet[:, PHOTO_HEIGHT // 2, left], torch.tensor(0.0), atol=1e-6)
    assert torch.allclose(sheet[:, PHOTO_HEIGHT + GAP + 9, left], torch.tensor(0.25), atol=1e-6)
    assert torch.allclose(sheet[:, 9, 9], torch.tensor(0.75), atol=1e-6)


def test_many_photos_go_into_rows():
    contents = [torch.zeros(3, 64, 96)] * 9
    sheet = contact_sheet(contents, contents, torch.zeros(3, 64, 64))
    assert sheet.shape[2] <= SHEET_WIDTH
    assert sheet.shape[1] > 2 * (2 * PHOTO_HEIGHT)


def test_a_caption_is_written_below():
    picture = captioned(torch.zeros(3, 40, 100), "mosaic")
    assert picture.shape == (3, 40 + CAPTION_HEIGHT, 100)
    assert (picture[:, :40] == 0).all()
    below = picture[:, 40:]
    assert below.max() == 1
    assert below.min() < 0.5  # the text
