"""Sizes by the longer side, which all that makes pictures smaller or larger agrees on."""

import numpy as np
import pytest
import torch
from PIL import Image

from fasttransfer.images.sizes import fitted, resized
from fasttransfer.images.tensors import resize
from fasttransfer.live.frames import shrunk


@pytest.mark.parametrize(
    ("size", "longer", "wanted"),
    [
        ((400, 300), 200, (200, 150)),
        ((300, 400), 200, (150, 200)),
        ((300, 400), 800, (600, 800)),
        ((5000, 1), 100, (100, 1)),  # never 0
        ((7, 3), 7, (7, 3)),
    ],
)
def test_sizes_by_the_longer_side(
    size: tuple[int, int], longer: int, wanted: tuple[int, int]
) -> None:
    assert fitted(size, longer) == wanted


@pytest.mark.parametrize("longer", [33, 50, 64])
def test_pictures_tensors_and_frames_agree(longer: int) -> None:
    width, height = 101, 67
    wanted = fitted((width, height), longer)
    assert resized(Image.new("RGB", (width, height)), longer).size == wanted
    assert resize(torch.zeros(3, height, width), longer).shape[-2:] == wanted[::-1]
    assert shrunk(np.zeros((height, width, 3), np.uint8), longer).shape[1::-1] == wanted
