"""Several pictures in one: contact sheets and comparisons. All are float RGB (3, H, W) in [0, 1]."""

from collections.abc import Sequence

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

from .tensors import resize_to, to_pil, to_tensor

GAP = 8  # white pixels between pictures
PHOTO_HEIGHT = 256  # in a contact sheet
SHEET_WIDTH = 1600
CAPTION_HEIGHT = 24


def side_by_side(pictures: Sequence[Tensor]) -> Tensor:
    """Pictures in a row, each scaled to the height of the first one."""
    height = pictures[0].shape[1]
    return _join([_to_height(picture, height) for picture in pictures], dim=2)


def stacked(pictures: Sequence[Tensor]) -> Tensor:
    """Pictures below one another."""
    return _join(pictures, dim=1)


def tiled(pictures: Sequence[Tensor], columns: int) -> Tensor:
    """Pictures in rows of so many."""
    starts = range(0, len(pictures), columns)
    return _join([_join(pictures[i : i + columns], dim=2) for i in starts], dim=1)


def captioned(picture: Tensor, caption: str) -> Tensor:
    """The picture with a line of text on white below it."""
    _, height, width = picture.shape
    sheet = Image.new("RGB", (width, height + CAPTION_HEIGHT), "white")
    sheet.paste(to_pil(picture), (0, 0))
    font = ImageFont.load_default(CAPTION_HEIGHT * 0.6)
    place = (width / 2, height + CAPTION_HEIGHT / 2)
    ImageDraw.Draw(sheet).text(place, caption, fill="black", anchor="mm", font=font)
    return to_tensor(sheet)


def contact_sheet(contents: Sequence[Tensor], stylized: Sequence[Tensor], style: Tensor) -> Tensor:
    """Every photo over its stylized picture, in rows, and the style image in front."""
    style = _to_height(style, PHOTO_HEIGHT)
    columns = [_join([style, torch.ones_like(style)], dim=1)] + [
        _join([_to_height(content, PHOTO_HEIGHT), _to_height(output, PHOTO_HEIGHT)], dim=1)
        for content, output in zip(contents, stylized, strict=True)
    ]
    rows: list[list[Tensor]] = [[]]
    for column in columns:
        if rows[-1] and sum(c.shape[2] + GAP for c in rows[-1]) + column.shape[2] > SHEET_WIDTH:
            rows.append([])
        rows[-1].append(column)
    return _join([_join(row, dim=2) for row in rows], dim=1)


def _to_height(picture: Tensor, height: int) -> Tensor:
    return resize_to(picture, height, max(1, round(picture.shape[2] * height / picture.shape[1])))


def _join(pictures: Sequence[Tensor], dim: int) -> Tensor:
    """Along ``dim`` (1 down, 2 right), aligned at the top left, with white between and around."""
    across = 3 - dim
    extent = max(picture.shape[across] for picture in pictures)
    padded = []
    for place, picture in enumerate(pictures):
        end = GAP if place < len(pictures) - 1 else 0
        beside = extent - picture.shape[across]
        right, below = (end, beside) if dim == 2 else (beside, end)
        padded.append(F.pad(picture, (0, right, 0, below), value=1.0))
    return torch.cat(padded, dim=dim)
