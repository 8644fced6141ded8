"""Whatever people have comes back as the same kind, and means the same picture."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from fasttransfer.api.pictures import BATCH_PIXELS, through
from fasttransfer.core.errors import FastTransferError


def negative(batch: Tensor) -> Tensor:
    assert batch.ndim == 4
    assert batch.shape[1] == 3
    assert batch.dtype == torch.float32
    return 1 - batch


def half(batch: Tensor) -> Tensor:
    return batch[..., ::2, ::2]


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)


def test_every_kind_gives_the_same_picture(pixels: np.ndarray, tmp_path: Path) -> None:
    image = Image.fromarray(pixels)
    image.save(tmp_path / "a.png")
    expected = 255 - pixels
    planes = torch.from_numpy(pixels).permute(2, 0, 1)
    for path in (tmp_path / "a.png", str(tmp_path / "a.png")):
        from_file = through(negative, path)
        assert isinstance(from_file, Image.Image)
        assert np.array_equal(from_file, expected)
    assert np.array_equal(through(negative, image), expected)
    assert np.array_equal(through(negative, pixels), expected)
    assert np.array_equal(through(negative, pixels[None])[0], expected)  # type: ignore[index]
    assert torch.equal(through(negative, planes), 255 - planes)  # type: ignore[arg-type]
    assert torch.equal(through(negative, planes[None])[0], 255 - planes)  # type: ignore[index]
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        floats = (planes / 255).to(dtype)
        found = through(negative, floats)
        assert isinstance(found, Tensor)
        assert found.dtype == dtype
        assert torch.allclose(found.float(), 1 - floats.float(), atol=5e-3)


def test_lists_and_tuples_keep_their_kind(pixels: np.ndarray) -> None:
    image = Image.fromarray(pixels)
    found = through(negative, [image, pixels])
    assert isinstance(found, list)
    assert isinstance(found[0], Image.Image)
    assert isinstance(found[1], np.ndarray)
    assert isinstance(through(negative, (image,)), tuple)
    assert through(negative, []) == []


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        *(("1", "RGB"), ("L", "RGB"), ("LA", "RGBA"), ("P", "RGB"), ("PA", "RGBA"), ("RGB", "RGB")),
        *(("RGBA", "RGBA"), ("RGBa", "RGBA"), ("CMYK", "RGB"), ("YCbCr", "RGB"), ("LAB", "RGB")),
        *(("HSV", "RGB"), ("I", "RGB"), ("F", "RGB"), ("I;16", "RGB")),
    ],
)
def test_pil_images_of_any_mode(mode: str, expected: str) -> None:
    image = Image.new(mode, (20, 12))
    found = through(negative, image)
    assert isinstance(found, Image.Image)
    assert (found.mode, found.size) == (expected, (20, 12))
    assert image.mode == mode


def test_gray_of_16_bits_keeps_its_brightness() -> None:
    gray = Image.fromarray(np.full((4, 4), 32896, np.uint16))  # 128 of 255
    assert np.array_equal(through(negative, gray), np.full((4, 4, 3), 127, np.uint8))


def test_alpha_is_kept_and_follows_the_size(pixels: np.ndarray) -> None:
    alpha = np.full((12, 20, 1), 128, np.uint8)
    with_alpha = np.concatenate([pixels, alpha], axis=-1)
    found = through(negative, with_alpha)
    assert np.array_equal(found, np.concatenate([255 - pixels, alpha], axis=-1))
    smaller = through(half, Image.fromarray(with_alpha))
    assert isinstance(smaller, Image.Image)
    assert (smaller.mode, smaller.size) == ("RGBA", (10, 6))
    assert smaller.getpixel((5, 3))[3] == 128  # type: ignore[index]


def test_orientation_is_applied_and_the_image_left_alone(
    pixels: np.ndarray, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x112] = 6
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as image:
        found = through(negative, image)
        assert isinstance(found, Image.Image)
        assert found.size == (12, 20)
        assert image.size == (20, 12)


def test_arrays_are_left_alone_however_they_lie_in_memory(pixels: np.ndarray) -> None:
    flipped = pixels[::-1, :, ::-1]
    assert np.array_equal(through(negative, flipped), 255 - flipped)
    pixels.flags.writeable = False
    assert np.array_equal(through(negative, pixels), 255 - pixels)
    gray = pixels[..., 0]
    assert np.array_equal(through(negative, gray), 255 - np.stack([gray] * 3, axis=-1))


def test_a_tensor_with_gradient_comes_back_without() -> None:
    photo = torch.rand(3, 4, 4, requires_grad=True)
    found = through(negative, photo)
    assert isinstance(found, Tensor)
    assert not found.requires_grad


def test_small_overshoot_is_clamped() -> None:
    photo = torch.tensor([-0.05, 0.5, 1.05]).view(3, 1, 1)
    found = through(negative, photo)
    assert isinstance(found, Tensor)
    assert found.flatten().tolist() == [1, 0.5, 0]


def test_large_batches_are_split() -> None:
    sizes = []

    def run(batch: Tensor) -> Tensor:
        sizes.append(len(batch))
        return batch

    side = 1000
    batch = torch.zeros(5, 3, 1, 1).expand(5, 3, side, side)
    assert through(run, batch).shape == batch.shape  # type: ignore[attr-defined]
    assert max(sizes) * side * side <= BATCH_PIXELS
    assert sum(sizes) == 5


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "cv2.imread"),
        (7, "A int is no image"),
        (b"bytes", "A bytes is no image"),
        ({"a": 1}, "A dict is no image"),
        ([[1]], "Item 0 of the list is a list"),
        ([np.zeros((2, 2, 3), np.uint8), "missing.jpg"], "Item 1 of the list: .*missing.jpg"),
        ("missing.jpg", r"missing\.jpg does not exist"),
        (np.zeros((2, 2, 3)), "array of float64"),
        (np.zeros((2, 2, 5), np.uint8), r"shape \(2, 2, 5\)"),
        (np.zeros((0, 2, 3), np.uint8), r"shape \(0, 2, 3\)"),
        (np.zeros(4, np.uint8), r"shape \(4,\)"),
        (torch.zeros(3, 4, 4, dtype=torch.int64), "tensor of int64"),
        (torch.full((3, 4, 4), 200.0), "values from 200 to 200"),
        (torch.full((3, 4, 4), -1.0), "values from -1 to -1"),
        (torch.full((3, 4, 4), float("nan")), "values from nan"),
        (torch.zeros(4, 4, 3), r"\.permute\(2, 0, 1\)"),
        (torch.zeros(1, 4, 4), r"shape \(1, 4, 4\)"),
        (torch.zeros(3, 0, 4), r"shape \(3, 0, 4\)"),
        (torch.zeros(3, 4, 4, device="meta"), "meta"),
        (torch.zeros(3, 4, 4).to_sparse(), "sparse"),
        (Image.new("RGB", (0, 4)), "0×4 pixels is empty"),
    ],
    ids=range(21),
)
def test_what_is_no_image_gets_one_sentence(content: object, text: str) -> None:
    with pytest.raises(FastTransferError, match=text) as raised:
        through(negative, content)
    assert "\n" not in str(raised.value)


def test_a_pil_image_of_a_damaged_file_gets_one_sentence(
    pixels: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "cut.jpg"
    Image.fromarray(pixels).resize((200, 200)).save(path)
    path.write_bytes(path.read_bytes()[:-2000])
    with Image.open(path) as image, pytest.raises(FastTransferError, match="damaged"):
        through(negative, image)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_tensor_comes_back_to_its_device() -> None:
    def on_cpu(batch: Tensor) -> Tensor:
        return batch.cpu()

    run: Callable[[Tensor], Tensor] = on_cpu
    found = through(run, torch.zeros(3, 4, 4, device="cuda"))
    assert isinstance(found, Tensor)
    assert found.device.type == "cuda"
