"""Means of weights, and when they are not taken."""

from pathlib import Path

import pytest
import torch

from fasttransfer.core.errors import FastTransferError
from fasttransfer.models.blending import (
    StyleMixture,
    base_of,
    blend,
    load_style_or_blend,
    obstacle,
    parse_blend,
)
from fasttransfer.models.style_file import StyleFile, find_style, load_style, save_style
from fasttransfer.models.transformer_net import TransformerNet


def tiny(seed: int, base: str | None = None, blocks: int = 1) -> StyleFile:
    torch.manual_seed(seed)
    network = TransformerNet([4, 8], blocks, 3, 2, True).eval().requires_grad_(False)
    return StyleFile(
        network, f"style{seed}", {"license": f"L{seed}"} | ({"base": base} if base else {})
    )


def near(style: StyleFile, name: str) -> StyleFile:
    """A style that was trained a little further."""
    moved = StyleFile(TransformerNet(**style.network.config), name, dict(style.metadata))
    moved.network.load_state_dict(
        {key: value + 0.01 for key, value in style.network.state_dict().items()}
    )
    return moved


def test_weights_are_the_mean() -> None:
    one = tiny(0, "x")
    other = near(one, "other")
    mixed = blend([(one, 3), (other, 1)])
    assert isinstance(mixed, StyleFile)
    for key, value in mixed.network.state_dict().items():
        expected = 0.75 * one.network.state_dict()[key] + 0.25 * other.network.state_dict()[key]
        assert torch.allclose(value, expected, atol=1e-7)
    assert mixed.name == "style0 0.75 + other 0.25"
    assert [(p["name"], p["weight"]) for p in mixed.metadata["parts"]] == [
        ("style0", 0.75),
        ("other", 0.25),
    ]
    assert mixed.metadata["license"] == "L0"


def test_it_is_exact_at_the_ends() -> None:
    one = tiny(0, "x")
    assert blend([(one, 2.0), (near(one, "other"), 0)]) is one


def test_a_blend_of_one_style_with_itself_is_that_style() -> None:
    one = tiny(0, "x")
    mixed = blend([(one, 0.3), (one, 0.7)])
    assert isinstance(mixed, StyleFile)
    for key, value in mixed.network.state_dict().items():
        assert torch.allclose(value, one.network.state_dict()[key], atol=1e-7)


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        (tiny(0, "x"), tiny(1, "x", blocks=2), "different shapes"),
        (tiny(0, "x"), tiny(1), "not known what the training of style1"),
        (tiny(0, "x"), tiny(1, "y"), "different networks"),
    ],
)
def test_others_are_mixed_as_pictures(one: StyleFile, other: StyleFile, reason: str) -> None:
    mixed = blend([(one, 1), (other, 1)])
    assert isinstance(mixed, StyleMixture)
    assert reason in mixed.reason
    assert [weight for _, weight in mixed.parts] == [0.5, 0.5]


def test_bundled_styles_share_a_base_and_others_do_not() -> None:
    styles = [load_style(find_style(name)) for name in ("mosaic", "udnie", "the_scream")]
    assert obstacle(styles) is None
    torch.manual_seed(7)
    network = TransformerNet(**styles[0].network.config)
    claimed = StyleFile(network, "claims to", {"base": "bundled"})
    assert "different networks" in str(obstacle([styles[0], claimed]))
    trained = StyleFile(styles[1].network, "mine", {"training": {"start": "base"}})
    assert base_of(trained) == base_of(styles[0])
    assert base_of(StyleFile(network, "mine", {"training": {"start": None}})) is None


@pytest.mark.parametrize(
    "weights", [(-1, 2), (0, 0), (float("nan"), 1), (float("inf"), 1), (True, 1), ("a", 1)]
)
def test_weights_that_cannot_be_used_are_named(weights: tuple) -> None:
    one = tiny(0, "x")
    with pytest.raises(FastTransferError, match="weights of a blend"):
        blend([(one, weight) for weight in weights])


def test_a_blend_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_blend("mosaic:0.6, udnie:0.4") == [("mosaic", 0.6), ("udnie", 0.4)]
    assert parse_blend(r"C:\a.safetensors:2,b:1") == [(r"C:\a.safetensors", 2.0), ("b", 1.0)]
    assert parse_blend("mosaic") is None
    assert parse_blend("a,b") is None
    assert parse_blend(r"C:\a.safetensors") is None
    with pytest.raises(FastTransferError, match="weight for each"):
        parse_blend("mosaic:0.6,udnie")
    monkeypatch.chdir(tmp_path)
    Path("mosaic:0.6").touch()
    assert parse_blend("mosaic:0.6") is None
    assert load_style_or_blend("mosaic:1,udnie:0").name == "mosaic"


def test_a_blend_is_a_style_file_like_any_other(tmp_path: Path) -> None:
    mixed = load_style_or_blend("mosaic:0.5,udnie:0.5")
    assert isinstance(mixed, StyleFile)
    save_style(tmp_path / "mine.safetensors", mixed.network, mixed.metadata)
    again = load_style(tmp_path / "mine.safetensors")
    assert again.name == "mosaic 0.5 + udnie 0.5"
    assert base_of(again) == base_of(load_style(find_style("mosaic")))
    further = blend([(again, 0.5), (load_style(find_style("woodcut")), 0.5)])
    assert isinstance(further, StyleFile)
