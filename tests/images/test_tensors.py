"""Pictures to tensors and back; values that a person can compute."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fasttransfer.images.reading import Picture
from fasttransfer.images.tensors import from_bytes, keep_colors, resize, to_bytes, to_pil, to_tensor


def test_eight_bits_are_rounded_and_clamped() -> None:
    values = torch.tensor([-1.0, 0.49 / 255, 0.51 / 255, 1.0 - 0.4 / 255, 2.0])
    image = to_pil(values.expand(3, 1, 5))
    assert [image.getpixel((x, 0))[0] for x in range(5)] == [0, 0, 1, 255, 255]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(["RGB", "RGBA", "L"]))
def test_tensor_and_back_is_the_same(width: int, height: int, mode: str) -> None:
    size = (height, width, len(mode)) if mode != "L" else (height, width)
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8))
    tensor = to_tensor(image)
    assert tensor.shape == (len(mode), height, width)
    if mode != "L":
        assert to_pil(tensor).tobytes() == image.tobytes()


def test_resize() -> None:
    assert resize(torch.rand(3, 100, 50), 20).shape == (3, 20, 10)
    assert resize(torch.rand(2, 3, 10, 20), 40).shape == (2, 3, 20, 40)
    assert resize(torch.rand(3, 1, 500), 5).shape == (3, 1, 5)
    same = torch.rand(3, 8, 4)
    assert resize(same, 8) is same
    stripes = torch.tensor([0.0, 1.0]).repeat(3, 64, 32)  # finest stripes: antialiasing makes gray
    assert torch.allclose(resize(stripes, 16)[..., 2:-2], torch.tensor(0.5), atol=0.02)


def test_alpha_follows_the_size() -> None:
    picture = Picture(torch.rand(3, 8, 8), torch.full((1, 8, 8), 0.3))
    alpha = picture.with_rgb(torch.rand(3, 4, 4)).alpha
    assert alpha is not None
    assert torch.allclose(alpha, torch.full((1, 4, 4), 0.3))


def test_keep_colors() -> None:
    content = torch.tensor([0.5, 0.3, 0.2]).view(3, 1, 1)
    gray = torch.full((3, 1, 1), 0.4)
    luma = 0.299 * 0.5 + 0.587 * 0.3 + 0.114 * 0.2
    kept = keep_colors(gray, content)
    assert torch.allclose(kept, content + (0.4 - luma))
    assert torch.allclose(keep_colors(content, content), content)
    assert keep_colors(torch.ones(2, 3, 1, 1), content.expand(2, 3, 1, 1)).max() <= 1


def test_frames_become_photos_and_back() -> None:
    frames = torch.arange(2 * 3 * 4 * 3, dtype=torch.uint8).reshape(2, 3, 4, 3)
    photos = from_bytes(frames)
    assert photos.shape == (2, 3, 3, 4)
    assert photos[1, 2, 0, 3] == frames[1, 0, 3, 2] / 255
    assert torch.equal(to_bytes(photos), frames)


def test_bytes_are_clamped_and_rounded() -> None:
    photo = torch.tensor([-0.2, 0.4 / 255, 0.6 / 255, 1.3]).reshape(1, 1, 1, 4)
    assert to_bytes(photo).flatten().tolist() == [0, 0, 1, 255]
