"""Training from Python is the training of the command."""

from pathlib import Path

import numpy as np
import pytest

import fasttransfer as ft

TORCH = {"engine": "torch", "device": "cpu", "precision": "float32"}


@pytest.mark.slow
def test_a_painting_becomes_a_style(
    tiny_run: list[str],
    style_picture: Path,
    photo_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = dict(word.split("=", 1) for word in tiny_run)
    for name in ("style.path", "data.root", "budget", "network.channels"):
        del settings[name]
    numbers = {name: int(v) if v.isdigit() else v for name, v in settings.items()}
    style = ft.train(
        style_picture, photos=photo_folder, budget=None, **numbers, **{"network.channels": [4, 8]}
    )
    assert style.name == style_picture.stem
    assert style.card["steps"] == 20
    content = np.zeros((24, 32, 3), np.uint8)
    assert style(content).shape == content.shape
    [run] = (tmp_path / "runs").iterdir()
    assert ft.load(run, **TORCH).name == style.name


@pytest.mark.slow
def test_a_mistake_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ft.FastTransferError, match="surprise"):
        ft.train("mosaic", run_dir=tmp_path / "run", surprise=1)
    with pytest.raises(ft.FastTransferError, match=r"it's missing\.jpg"):
        ft.train(tmp_path / "it's missing.jpg", run_dir=tmp_path / "run")
