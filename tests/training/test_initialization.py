from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from fasttransfer.core.assets import BASES, CONF_DIR
from fasttransfer.core.errors import FastTransferError
from fasttransfer.models.style_file import bundled_styles, find_style, load_style, save_style
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.training import initialization as start
from fasttransfer.training.initialization import BASE, NEAREST, nearest, starting_style


@pytest.fixture
def photos():
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(3))


def saved(path, colour: float, channels=(4, 8)):
    """A style whose pictures are one grey."""
    network = TransformerNet(channels, 1, 3, 2, False)
    with torch.no_grad():
        network.head[0].weight.zero_()
        network.head[0].bias.fill_(colour)
    save_style(path, network, {"name": path.stem})
    return str(path)


@pytest.mark.slow
def test_the_style_with_the_lowest_loss_is_nearest(tmp_path, objective, photos):
    files = [saved(tmp_path / f"{n}.safetensors", n / 4) for n in range(5)]
    styles = [load_style(file) for file in files]
    totals = [objective(style.network(photos), photos)["total"].item() for style in styles]
    found = nearest(styles, photos, objective)
    assert found.path == styles[totals.index(min(totals))].path
    assert len(set(totals)) == 5
    chosen = starting_style(files, styles[0].network, photos, objective)
    assert chosen.path == found.path


def test_only_styles_of_the_same_shape_can_be_started_from(tmp_path, objective, photos):
    file = saved(tmp_path / "other.safetensors", 0.5, channels=(4, 12))
    network = TransformerNet([4, 8], 1, 3, 2, False)
    with pytest.raises(FastTransferError, match="another shape"):
        starting_style([file], network, photos, objective)
    with pytest.raises(FastTransferError, match="There is no style 'none'"):
        starting_style(["none"], network, photos, objective)
    assert (
        starting_style([NEAREST], network, photos, objective) is None
    )  # no bundled one is so small


@pytest.mark.slow
def test_the_bundled_styles_are_what_nearest_chooses_from(objective, photos):
    some = load_style(starting_style(["mosaic"], _like("mosaic"), photos, objective).path)
    assert some.name == "mosaic"
    found = starting_style([NEAREST], _like("mosaic"), photos, objective)
    assert found.path.stem in bundled_styles()
    assert found.network.config == some.network.config


@pytest.mark.slow
def test_the_base_of_the_shape_comes_before_the_nearest_style(
    objective, photos, tmp_path, monkeypatch
):
    files = [saved(tmp_path / f"{n}.safetensors", 0.5, channels=(4, n)) for n in (8, 12)]
    monkeypatch.setattr(start, "BASES", tmp_path)
    network = TransformerNet([4, 12], 1, 3, 2, False)
    found = starting_style([BASE], network, photos, objective)
    assert found.path == Path(files[1])
    assert (
        starting_style([BASE], TransformerNet([4, 16], 1, 3, 2, False), photos, objective) is None
    )
    other = starting_style([BASE], _like("mosaic"), photos, objective)
    assert other.path == starting_style([NEAREST], _like("mosaic"), photos, objective).path


@pytest.mark.parametrize("preset", ["default", "realtime"])
def test_a_base_comes_with_the_package(preset, objective, photos):
    network = instantiate(OmegaConf.load(CONF_DIR / "network" / f"{preset}.yaml"), _convert_="all")
    found = starting_style([BASE], network, photos, objective)
    assert found.path.parent == BASES
    pictures = found.network(photos)
    assert pictures.isfinite().all()
    assert pictures.std() > 0.05, "a base makes pictures, not one grey"


def _like(name: str) -> TransformerNet:
    return TransformerNet(**load_style(find_style(name)).network.config)
