import sys

import pytest
import torch
from rich.console import Console

from fasttransfer.cli.infer import main
from fasttransfer.models.style_file import bundled_styles, save_style
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.zoo.gallery import Card, cards, markdown, print_cards, sheet, spread

REALTIME = {"channels": [16, 48], "residual_blocks": 4, "kernel_size": 3, "unshuffle": 2}


@pytest.fixture
def folder(tmp_path):
    metadata = {
        "name": "ink",
        "license": "public domain: Ink, A. Painter, 1900",
        "steps": 30,
        "seconds": 90.0,
        "device": "cpu",
        "scores": {
            "balanced_content": 2,
            "balanced_palette": 0.0456,
            "grid": 0.33,
            "checkerboard": 1.26,
        },
        "training": {"start": "mosaic"},
    }
    save_style(tmp_path / "ink.safetensors", TransformerNet(**REALTIME, smooth=True), metadata)
    odd = TransformerNet([4], 0, 3, 1, False)
    save_style(tmp_path / "odd.safetensors", odd, {"name": "odd"}, dtype=torch.float16)
    return tmp_path


def test_cards_hold_the_metadata_of_the_files(folder):
    ink, odd = cards(folder)
    size = (folder / "ink.safetensors").stat().st_size
    license = "public domain: Ink, A. Painter, 1900"
    facts = (license, "mosaic", 30, 90.0, "cpu", 2, None, 0.0456, 0.33, 1.26, size / 1e6)
    assert ink == Card("ink", "realtime", *facts)
    assert odd.network == "[4]"
    assert (odd.steps, odd.content, odd.start) == (None, None, None)


def test_tables(folder, capsys):
    text = markdown(cards(folder))
    license = cards(folder)[0].license
    row = f"| ink | realtime | {license} | mosaic | 30 | 1.5 | cpu | 2.00 | – | 0.046 | 0.3 | 1.3 |"
    assert row in text
    assert "| odd | [4] | – | nothing | – | – | – | – | – | – | – | – |" in text
    print_cards(cards(folder), Console(width=60))
    printed = capsys.readouterr().out
    assert "ink" in printed
    assert " MB " in printed


def test_the_spread_is_over_the_styles_of_a_network(tmp_path):
    for name, content, style in (("a", 1, 0.1), ("b", 3, 0.3)):
        metadata = {"name": name, "seconds": 90.0}
        metadata["scores"] = {"balanced_content": content, "balanced_style": style}
        network = TransformerNet(**REALTIME, smooth=True)
        save_style(tmp_path / f"{name}.safetensors", network, metadata)
    save_style(tmp_path / "odd.safetensors", TransformerNet([4], 0, 3, 1, False), {"name": "odd"})
    # The deviation of 1 and 3 is the square root of 2, over a mean of 2.
    assert spread(cards(tmp_path)).splitlines()[2:] == [
        "| realtime | 2 | 3 | 2 | 71 % | 0.2 | 71 % |"
    ]


def test_a_sheet_has_a_cell_for_the_photos_and_each_style(folder):
    photos = [torch.rand(3, 300, 200), torch.rand(3, 100, 300)]
    one = sheet([folder / "ink.safetensors"], photos)
    both = sheet(sorted(folder.glob("*.safetensors")), photos)
    assert one.shape[1] == both.shape[1]
    assert one.shape[2] * 3 + 8 == both.shape[2] * 2  # with 8 pixels between them
    assert 0 <= both.min() <= both.max() <= 1


def test_list_shows_the_bundled_styles(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["infer.py", "list=true"])
    main()
    printed = capsys.readouterr().out
    assert all(name in printed for name in bundled_styles())


def test_all_bundled_styles_together_are_small_and_tell_their_origin():
    found = cards()
    assert sum(card.megabytes for card in found) <= 36
    for card in found:
        assert card.license not in ("–", "not stated"), card.name
        assert card.content is not None, card.name
