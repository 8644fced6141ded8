"""The stylizer on networks whose output a person knows."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from fasttransfer.core.errors import FastTransferError
from fasttransfer.images.masks import Mask
from fasttransfer.images.tensors import keep_colors
from fasttransfer.models.style_file import StyleFile
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.stylizing.settings import EngineSettings, MaskSettings, StylizerSettings
from fasttransfer.stylizing.stylizer import Stylizer


class Negative(nn.Module):
    """Leaves [0, 1] on purpose: 1.5 − 2 × content."""

    def forward(self, content: Tensor) -> Tensor:
        return 1.5 - 2 * content


class Full(nn.Module):
    def forward(self, content: Tensor) -> Tensor:
        return torch.empty(2**60)


class Broken(nn.Module):
    def forward(self, content: Tensor) -> Tensor:
        raise RuntimeError("a fault of ours")


def stylizer(network: nn.Module, **changed: Any) -> Stylizer:
    engine = {"engine": "torch", "device": "cpu", "precision": "float32"}
    engine |= {name: changed.pop(name) for name in set(engine) & set(changed)}
    style = StyleFile(network, "test", {})  # type: ignore[arg-type]
    return Stylizer(style, StylizerSettings(**changed), EngineSettings(**engine))


def tiny() -> TransformerNet:
    torch.manual_seed(0)
    return TransformerNet([4, 8], 1, 3, 2, False)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 50), (17, 33), (64, 64)])
def test_same_size_out(height: int, width: int) -> None:
    run = stylizer(tiny())
    content = torch.rand(3, height, width)
    stylized = run(content)
    assert stylized.shape == content.shape
    assert stylized.dtype == torch.float32
    assert stylized.min() >= 0
    assert stylized.max() <= 1
    assert torch.allclose(run(content[None])[0], stylized)


def test_batch_is_the_pictures_one_by_one() -> None:
    run = stylizer(tiny())
    content = torch.rand(2, 3, 20, 30)
    assert torch.allclose(run(content)[1], run(content[1]), atol=1e-5)


def test_output_is_clamped() -> None:
    stylized = stylizer(Negative())(torch.tensor([0.0, 0.5, 1.0]).expand(3, 1, 3))
    assert stylized[0, 0].tolist() == [1, 0.5, 0]


def test_strength_mixes_pixels() -> None:
    content = torch.rand(3, 6, 6)
    photo, full = stylizer(Negative(), strength=0)(content), stylizer(Negative())(content)
    assert torch.equal(photo, content)
    assert torch.equal(full, (1.5 - 2 * content).clamp(0, 1))
    half = stylizer(Negative(), strength=0.5)(content)
    assert torch.allclose(half, (photo + full) / 2)


def test_size_is_the_longer_side() -> None:
    assert stylizer(Negative(), size=10)(torch.rand(3, 40, 20)).shape == (3, 10, 5)
    assert stylizer(Negative(), size=80, strength=0)(torch.rand(3, 40, 20)).shape == (3, 80, 40)


def test_color_of_the_content() -> None:
    content = torch.rand(3, 5, 5)
    kept = stylizer(Negative(), color="content")(content)
    assert torch.allclose(kept, keep_colors((1.5 - 2 * content).clamp(0, 1), content))


def test_content_is_left_as_it_was() -> None:
    content = torch.rand(3, 5, 5)
    before = content.clone()
    stylizer(Negative(), color="content", strength=0.5)(content)
    assert torch.equal(content, before)


def test_no_gradient() -> None:
    assert not stylizer(tiny())(torch.rand(3, 8, 8)).requires_grad


def frame(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("changed", [{}, {"strength": 0.4}, {"color": "content"}, {"size": 10}])
def test_a_frame_is_stylized_as_a_picture_is(changed: dict[str, Any]) -> None:
    run = stylizer(Negative(), **changed)
    given = frame(20, 30)
    as_picture = run(torch.from_numpy(given).permute(2, 0, 1) / 255) * 255
    difference = run.frame(given).astype(float) - as_picture.permute(1, 2, 0).numpy()
    assert abs(difference).max() <= 1.51  # bytes are rounded on the way, and Negative doubles that


def test_strength_zero_is_the_frame_itself() -> None:
    given = frame(20, 30)
    assert np.array_equal(stylizer(Negative(), strength=0).frame(given), given)


def test_other_settings_share_the_engine_and_leave_the_first_alone() -> None:
    run, given = stylizer(Negative()), frame(6, 8)
    first = run.frame(given)
    weak = run.with_settings(strength=0.0)
    assert weak.engine is run.engine
    assert np.array_equal(weak.frame(given), given)
    assert np.array_equal(run.frame(given), first)
    assert not np.array_equal(run.with_settings(color="content").frame(given), first)
    with pytest.raises(FastTransferError, match="strength=2"):
        run.with_settings(strength=2)


@pytest.mark.parametrize(
    "changed",
    [
        {"size": 0},
        {"size": "large"},
        {"color": "blue"},
        {"strength": 1.1},
        {"strength": -0.1},
        {"strength": "x"},
        {"precision": "float16"},
        {"device": "gpu"},
    ],
)
def test_what_cannot_be_used_is_named(changed: dict[str, Any]) -> None:
    with pytest.raises(FastTransferError, match=f"{next(iter(changed))}="):
        stylizer(tiny(), **changed)


def test_memory_failure_names_size() -> None:
    with pytest.raises(FastTransferError, match=r"30×20 .*size="):
        stylizer(Full())(torch.rand(3, 20, 30))


def test_other_failures_are_not_disguised() -> None:
    with pytest.raises(RuntimeError, match="a fault of ours"):
        stylizer(Broken())(torch.rand(3, 4, 4))


@pytest.mark.parametrize("stroke_size", [20, 40, 60])
def test_stroke_size_is_where_the_network_sees_the_photo(stroke_size: int) -> None:
    """A network that darkens what it gets by its width shows which size that was."""

    class Width(nn.Module):
        def forward(self, content: Tensor) -> Tensor:
            return torch.full_like(content, content.shape[-1] / 100)

    run = stylizer(Width(), stroke_size=stroke_size)
    stylized = run(torch.rand(3, 30, 40))
    assert stylized.shape == (3, 30, 40)
    assert torch.allclose(stylized, torch.full((3, 30, 40), stroke_size / 100), atol=1e-5)
    frame = run.frame(np.zeros((30, 40, 3), np.uint8))
    assert frame.shape == (30, 40, 3)
    assert (frame == round(255 * stroke_size / 100)).all()


def test_memory_is_that_of_the_presets() -> None:
    """Peaks measured in PyTorch, in bytes a pixel."""
    presets = {
        269: TransformerNet([24, 64], 5, 3, 2, True),
        216: TransformerNet([16, 48], 4, 3, 2, True),
        972: TransformerNet([32, 64, 128], 5, 9, 1, False),
    }
    for measured, network in presets.items():
        assert stylizer(network).bytes_per_pixel == pytest.approx(measured, rel=0.05)


def right_half(value: int = 255, feather: int = 0) -> Mask:
    pixels = np.zeros((4, 8), np.uint8)
    pixels[:, 4:] = value
    return Mask((Image.fromarray(pixels),), feather)


@pytest.mark.parametrize("color", ["style", "content"])
@pytest.mark.parametrize("strength", [0.3, 0.7, 1.0])
def test_a_white_mask_is_no_mask_and_a_black_one_gives_the_photo(
    strength: float, color: str
) -> None:
    run = stylizer(tiny(), strength=strength, color=color)
    white, black = (Mask((Image.new("L", (5, 7), value),), 2) for value in (255, 0))
    content = torch.rand(2, 3, 33, 21)
    assert torch.equal(run(content, white), run(content))
    assert torch.equal(run(content, black), content)
    frame = (content[0] * 255).byte().permute(1, 2, 0).contiguous().numpy()
    assert np.array_equal(run.frame(frame, white), run.frame(frame))
    assert np.array_equal(run.frame(frame, black), frame)


def test_outside_of_the_feather_the_photo_is_exactly_itself() -> None:
    run = stylizer(tiny())
    content = torch.rand(3, 40, 80)
    masked, full = run(content, right_half(feather=3).fitted(40, 80)), run(content)
    edge = int(Mask(right_half().layers).at(40, 80)[0, 0].nonzero().min())  # resized, it is soft
    assert torch.equal(masked[..., : edge - 3], content[..., : edge - 3])
    assert torch.equal(masked[..., 60:], full[..., 60:])
    assert not torch.equal(masked, full)


def test_gray_is_between_and_the_network_sees_everything() -> None:
    content = torch.rand(3, 16, 24)
    run = stylizer(tiny())
    full = run(content)
    half = run(content, right_half(128))
    assert torch.allclose(half[..., 18:], content[..., 18:].lerp(full[..., 18:], 128 / 255))


def test_strength_and_size_go_with_a_mask() -> None:
    content = torch.rand(3, 40, 80)
    small = stylizer(Negative(), size=40)(content, right_half())
    assert small.shape == (3, 20, 40)
    assert torch.equal(
        small[..., :15], stylizer(Negative(), size=40, strength=0)(content)[..., :15]
    )
    weak = stylizer(Negative(), strength=0.25)(content, right_half())
    assert torch.allclose(weak[..., 60:], stylizer(Negative(), strength=0.25)(content)[..., 60:])


def test_strokes_of_a_wanted_size_are_masked_too() -> None:
    content = torch.rand(3, 40, 80)
    run = stylizer(tiny(), stroke_size=40)
    assert torch.equal(run(content, right_half())[..., :30], content[..., :30])
    frame = (content * 255).byte().permute(1, 2, 0).contiguous().numpy()
    assert np.array_equal(run.frame(frame, right_half())[:, :30], frame[:, :30])


def test_each_picture_of_a_batch_has_its_mask() -> None:
    run = stylizer(Negative())
    content = torch.rand(3, 3, 4, 8)
    masked = run(content, [right_half(), None, right_half(0)])
    assert torch.equal(masked[0], run(content[0], right_half()))
    assert torch.equal(masked[1], run(content[1]))
    assert torch.equal(masked[2], content[2])
    assert torch.equal(run(content, [None, None, None]), run(content))


def test_two_styles_beside_each_other() -> None:
    torch.manual_seed(1)
    one, other = stylizer(tiny()), stylizer(Negative())
    both, content = one.beside(other), torch.rand(3, 40, 80)
    assert both.name == "test+test"
    mixed = both(content, right_half())
    assert torch.equal(mixed[..., :30], other(content)[..., :30])
    assert torch.equal(mixed[..., 50:], one(content)[..., 50:])
    assert torch.equal(both(content), one(content))
    assert torch.equal(both(content, right_half(0)), other(content))
    small = both.with_settings(size=40, strength=0.5, color="content")
    assert torch.equal(
        small(content, right_half(0)),
        stylizer(Negative(), size=40, strength=0.5, color="content")(content),
    )
    frame = (content * 255).byte().permute(1, 2, 0).contiguous().numpy()
    mixed = both.frame(frame, right_half())
    assert np.array_equal(mixed[:, :30], other.frame(frame)[:, :30])
    assert np.array_equal(mixed[:, 50:], one.frame(frame)[:, 50:])


def test_threads_with_masks_get_what_one_gets() -> None:
    run = stylizer(tiny())
    frames = np.random.default_rng(0).integers(0, 256, (8, 32, 48, 3), np.uint8)
    masks = [right_half(20 * number) for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(run.frame, frames, masks))
    for frame, mask, found in zip(frames, masks, together, strict=True):
        assert np.array_equal(found, run.frame(frame, mask))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"feather": -1}, "mask.feather=-1 must be a whole number"),
        ({"feather": 1.5}, "mask.feather=1.5 must be a whole number"),
        ({"invert": True}, "there is none"),
        ({"path": "s3://bucket/masks"}, "must be on this machine"),
        ({"strength": "https://host/mask.png"}, "must be on this machine"),
    ],
)
def test_mask_settings_that_cannot_be_used(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(FastTransferError, match=sentence):
        MaskSettings(**settings)
