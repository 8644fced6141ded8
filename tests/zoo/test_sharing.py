"""Styles are pushed to and loaded from a small server of the test, by the real library."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from fasttransfer.core.errors import FastTransferError
from fasttransfer.models.style_file import save_style
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.zoo.sharing import model_card, push
from tests.helpers.hub import TOKEN, hub
from tests.helpers.photos import make_photo


def test_a_card_is_yaml_and_facts():
    metadata = {"license": "CC0-1.0", "steps": 300, "scores": {"balanced_content": 1.2345, "x": 1}}
    text = model_card("ink | <b>", metadata, "me/ink")
    _, head, body = text.split("---\n", 2)
    assert yaml.safe_load(head)["license"] == "cc0-1.0"
    assert "# ink b" in body
    assert "| change of content | 1.23 |" in body
    assert "--style hub:me/ink" in body
    other = model_card("ink", {"license": "public domain: Ink, A. Painter, 1900"}, "me/ink")
    assert yaml.safe_load(other.split("---\n")[1])["license"] == "other"


@pytest.mark.parametrize("to", ["me/ink", "hub:ink", "hub:me/ink@v1"])
def test_where_to_is_checked_first(to):
    with pytest.raises(FastTransferError, match=r"hub:user/style|leave out @v1"):
        push("mosaic", to, private=False)


@pytest.mark.slow
def test_a_style_is_pushed_and_loaded_by_others(tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")
    torch.manual_seed(0)
    style, photo = tmp_path / "ink.safetensors", make_photo(tmp_path / "photo.png", 40, 30)
    save_style(style, TransformerNet([4, 8], 1, 3, 2, False), {"name": "ink", "license": "CC0-1.0"})

    def run(
        *typed: str, token: str = TOKEN, offline: str = "0"
    ) -> subprocess.CompletedProcess[str]:
        own = {"HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path / "hf"), "HF_TOKEN": token}
        own |= {"HF_HUB_OFFLINE": offline, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "fasttransfer", *typed]
        return subprocess.run(
            command, env=os.environ | own, cwd=tmp_path, capture_output=True, text=True, check=False
        )

    with hub() as server:
        refused = run("push", str(style), "hub:me/ink", token="hf_wrong")
        assert refused.returncode == 2, refused.stderr
        assert "cannot be uploaded" in refused.stderr.splitlines()[-1], refused.stderr
        pushed = run("push", str(style), "hub:me/ink")
        assert pushed.returncode == 0, pushed.stderr
        assert pushed.stdout.strip().startswith(f"{server.url}/me/ink/commit/")
        assert {*server.files["me/ink"]} == {"style.safetensors", "README.md", "preview.jpg"}
        assert server.files["me/ink"]["style.safetensors"] == style.read_bytes()

        common = ("stylize", str(photo), "--engine", "torch", "--device", "cpu")
        loaded = run(*common, "--style", "hub:me/ink@main", "-o", "a.png")
        assert loaded.returncode == 0, loaded.stderr
        missing = run(*common, "--style", "hub:me/none", "-o", "c.png")
        assert "there is no such style" in missing.stderr
    offline = run(*common, "--style", "hub:me/ink@main", "-o", "b.png", offline="1")
    assert offline.returncode == 0, offline.stderr
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
