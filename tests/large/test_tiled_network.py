"""A network in tiles against the same network on the whole picture."""

import math
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from fasttransfer.images.regions import Region
from fasttransfer.large import tiled_network
from fasttransfer.large.layers import reach
from fasttransfer.large.moments import FrozenInstanceNorm, Moments
from fasttransfer.large.planes import Plane
from fasttransfer.large.tiled_network import TiledNetwork, scratch_bytes
from fasttransfer.models.transformer_net import TransformerNet, reflected_conv

CPU = torch.device("cpu")
SHAPES = {  # small relatives of the presets, and the least there can be
    "default": {"channels": [6, 10], "unshuffle": 2, "kernel_size": 3, "smooth": True},
    "johnson": {"channels": [4, 6, 8], "unshuffle": 1, "kernel_size": 9, "smooth": False},
    "one width": {"channels": [5], "unshuffle": 2, "kernel_size": 3, "smooth": True},
}


def random_network(shape: str, blocks: int = 2) -> TransformerNet:
    """In float64, with weights and norms as varied as after a training."""
    torch.manual_seed(len(shape) + blocks)
    network = TransformerNet(**SHAPES[shape], residual_blocks=blocks).double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return network.requires_grad_(False)


def tiled(
    network: TransformerNet,
    photo: Tensor,
    tile: int,
    *,
    exact: bool = True,
    prepare: Callable[[TiledNetwork], None] = lambda tiles: None,
    scratch: Path | None = None,
) -> Tensor:
    """(3, H, W) through the network in tiles."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = scratch or Path(temporary)
        height, width = photo.shape[1:]
        plane = Plane(folder / "photo", (height, width, 3), str(photo.numpy().dtype))
        plane.write(Region(0, height, 0, width), photo.permute(1, 2, 0).numpy())
        tiles = TiledNetwork(network, plane, folder, exact=exact, device=CPU, tile=tile)
        prepare(tiles)
        stylized = torch.full_like(photo, math.nan)

        def write(region: Region, pixels: Tensor) -> None:
            inside = region.clipped(height, width)
            rows, columns = inside.within(region)
            stylized[:, inside.top : inside.bottom, inside.left : inside.right] = pixels[
                :, rows, columns
            ][:, : inside.bottom - inside.top, : inside.right - inside.left]

        steps: list[None] = []
        tiles.run(write, lambda: steps.append(None))
        assert len(steps) == tiles.steps
        return stylized


@settings(deadline=None, max_examples=25)
@example("default", 1, 9, 12, 6)  # tiles of two pixels
@given(
    st.sampled_from(list(SHAPES)),
    st.integers(0, 3),
    # Of one or two pixels nothing varies, so each norm enlarges mere rounding, up to 300 times.
    st.integers(8, 150),
    st.integers(8, 150),
    st.integers(1, 5),
)
def test_tiles_are_the_whole_picture(
    shape: str, blocks: int, height: int, width: int, across: int
) -> None:
    """Of any size, odd ones too; there are few of them, as each takes all that it overlaps."""
    tile = -(-max(height, width) // across)
    network = random_network(shape, blocks)
    photo = torch.rand(3, height, width, dtype=torch.float64)
    assert (tiled(network, photo, tile) - network(photo[None])[0]).abs().max() <= 1e-10


@pytest.mark.parametrize("shape", SHAPES)
def test_two_grids_agree(shape: str) -> None:
    network = random_network(shape)
    photo = torch.rand(3, 131, 203, dtype=torch.float64)
    assert (tiled(network, photo, 48) - tiled(network, photo, 76)).abs().max() <= 1e-10


@pytest.mark.parametrize("shape", SHAPES)
def test_float32_is_the_same_picture_in_bytes(shape: str) -> None:
    network = random_network(shape).float()
    photo = torch.rand(3, 300, 400)
    tiles, whole = tiled(network, photo, 96), network(photo[None])[0]
    levels = [(picture.clamp(0, 1) * 255).round() for picture in (tiles, whole)]
    difference = (levels[0] - levels[1]).abs()
    assert difference.max() <= 1
    assert (difference > 0).double().mean() <= 1e-4


def test_statistics_of_each_tile_would_not_do() -> None:
    """The same comparison sees what is commonly done: every tile by itself."""
    network = random_network("default")
    photo = torch.rand(3, 128, 128, dtype=torch.float64)
    photo[:, :64] *= 0.3  # a dark half
    whole = network(photo[None])[0]
    alone = network(photo[None, :, :64])[0]
    assert (alone[:, :32] - whole[:, :32]).abs().max() > 0.01


def test_a_halo_that_is_too_small_would_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    network = random_network("default")
    photo = torch.rand(3, 128, 128, dtype=torch.float64)
    monkeypatch.setattr("fasttransfer.large.tiled_network.reach", lambda layers: 0)
    assert (tiled(network, photo, 48) - network(photo[None])[0]).abs().max() > 1e-4


def test_statistics_of_the_whole_as_its_own_thumbnail_are_exact() -> None:
    network = random_network("johnson")
    photo = torch.rand(3, 90, 120, dtype=torch.float64)
    stylized = tiled(network, photo, 40, exact=False, prepare=lambda t: t.measure(photo[None]))
    assert (stylized - network(photo[None])[0]).abs().max() <= 1e-10


@pytest.mark.parametrize("shape", SHAPES)
def test_reach_is_what_a_pixel_depends_on(shape: str) -> None:
    """Measured by gradients through the network with known norms.

    Nothing farther, and not much nearer.
    """
    network = random_network(shape, blocks=1)
    for norm_parent in [m for m in network.modules() if isinstance(m, nn.Sequential)]:
        for place, layer in enumerate(norm_parent):
            if isinstance(layer, nn.InstanceNorm2d):
                norm_parent[place] = FrozenInstanceNorm(layer)
    side, middle = 161, 80
    photo = torch.rand(1, 3, side + 3, side + 3, dtype=torch.float64, requires_grad=True)
    farthest = 0
    for offset in range(network.stride):
        pixel = network(photo)[0, :, middle + offset, middle].sum()
        (gradient,) = torch.autograd.grad(pixel, photo)
        rows = gradient.abs().sum(dim=(0, 1, 3)).nonzero().ravel()
        farthest = max(farthest, int((rows - middle - offset).abs().max()))
    whole = nn.Sequential(network.encoder, network.residual, network.decoder, network.head)
    # Blocks of `stride` pixels are cut at their ends, which reach() does not count on.
    assert farthest - network.stride < reach(whole) <= farthest + network.stride


def test_reach_of_one_layer() -> None:
    assert reach(reflected_conv(3, 4, 9)) == 4
    assert reach(nn.Sequential(nn.PixelUnshuffle(2), reflected_conv(12, 4, 3))) == 2


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.integers(0, 10**6))
def test_merged_moments_are_those_of_all(widths: list[int], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    parts = [
        1e3 + torch.randn(1, 4, 3, w, generator=generator, dtype=torch.float64) for w in widths
    ]
    merged = Moments.of(parts[0])
    for part in parts[1:]:
        merged = merged.merged(Moments.from_row(Moments.of(part).to_row()))
    whole = torch.cat([part.flatten(2) for part in parts], dim=2)[0]
    assert merged.count == whole.shape[1]
    assert torch.allclose(merged.mean, whole.mean(dim=1), rtol=1e-13)
    squares = (whole - whole.mean(dim=1, keepdim=True)).square().sum(dim=1)
    assert torch.allclose(merged.squares, squares, rtol=1e-9)


class StopError(Exception):
    pass


@pytest.mark.parametrize("after", [1, 20, 64])
def test_goes_on_after_a_stop_with_the_same_result(
    after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = random_network("default")
    photo = torch.rand(3, 80, 100, dtype=torch.float64)
    whole = tiled(network, photo, 40)
    count = 0

    def failing(layers: nn.Module) -> int:  # asked for once a tile, before it is computed
        nonlocal count
        count += 1
        if count == after:
            raise StopError
        return reach(layers)

    with monkeypatch.context() as patch:
        patch.setattr(tiled_network, "reach", failing)
        with pytest.raises(StopError):
            tiled(network, photo, 40, scratch=tmp_path)
        count = 1000  # from now on it works, and what is done is not done again
        resumed = tiled(network, photo, 40, scratch=tmp_path)
    done_again = count - 1000
    tiles, passes = 6, 2 + 1 + 2 * 3 + 1 + 1  # encoder, its ReLU, blocks, decoder, output
    assert done_again == tiles * passes - (after - 1)
    kept = ~resumed.isnan()  # what was finished before the stop is in the first result
    assert kept.double().mean() > (0.3 if after == 64 else 0.99)
    assert torch.equal(resumed[kept], whole[kept])


def test_another_mode_does_not_go_on_with_what_it_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the disk became full meanwhile, and ``auto`` takes the thumbnail now."""
    network = random_network("default")
    photo = torch.rand(3, 80, 100, dtype=torch.float64)
    whole = network(photo[None])[0]
    for exact in (True, False, True):
        found = tiled(
            network,
            photo,
            40,
            exact=exact,
            prepare=lambda tiles: tiles.measure(photo[None]),
            scratch=tmp_path,
        )
        if exact and not found.isnan().all():
            assert (found - whole).abs().max() <= 1e-10
        if not exact:
            assert (found - whole).abs().max() <= 1e-10


def test_room_on_disk_is_as_announced(tmp_path: Path) -> None:
    network = random_network("default").float()
    tiled(network, torch.rand(3, 96, 160), 64, scratch=tmp_path)
    planes = sum(file.stat().st_size for file in tmp_path.glob("*.plane"))
    assert planes == scratch_bytes(network, 96, 160)


def test_known_norm_is_instance_norm() -> None:
    norm = nn.InstanceNorm2d(3, affine=True).double()
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([1.0, -2, 0.5]))
        norm.bias.copy_(torch.tensor([0.1, 0, 3]))
    features = torch.randn(1, 3, 9, 7, dtype=torch.float64)
    known = FrozenInstanceNorm(norm)
    known.set(Moments.of(features))
    assert torch.allclose(known(features), norm(features), atol=1e-12)
    assert np.isclose(known.eps, norm.eps)
