"""Both scripts one after the other, as they are typed, from a folder that holds only a photo."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fasttransfer.core.assets import BUNDLED_PHOTOS, CONF_DIR
from fasttransfer.images.decoding import open_image
from fasttransfer.models.style_file import load_style

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


def run(script: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / script), *arguments],
        cwd=cwd,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.slow
def test_train_a_style_and_stylize_a_photo_with_it(tiny_run: list[str], tmp_path: Path) -> None:
    photo = Path(
        shutil.copy(BUNDLED_PHOTOS["bundled-probe"] / "coffee.jpg", tmp_path / "photo.jpg")
    )
    trained = run("train.py", *tiny_run, "trainer.max_steps=3", cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    [folder] = (tmp_path / "runs").glob("painting-*")  # named after the style and the time
    assert load_style(folder / "style.safetensors").metadata["steps"] == 3

    # What it says to type next is typed.
    python, *next_command = shlex.split(trained.stdout.splitlines()[-1])
    assert python == "python"
    assert f"style={folder.relative_to(tmp_path)}" in next_command
    stylized = run(*next_command, "device=cpu", cwd=tmp_path)
    assert stylized.returncode == 0, stylized.stderr
    output = tmp_path / "stylized.jpg"
    sizes = [open_image(path, max_pixels=10**6).image.size for path in (photo, output)]
    assert sizes[0] == sizes[1]

    written = output.stat().st_mtime_ns
    again = run(*next_command, "device=cpu", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "skipped stylized.jpg" in again.stderr
    assert output.stat().st_mtime_ns == written
    assert sorted(os.listdir(tmp_path)) == ["photo.jpg", "runs", "stylized.jpg"]


def help_of(script: str, cwd: Path) -> str:
    done = run(script, "--help", cwd=cwd)
    assert (done.returncode, done.stderr) == (0, "")
    assert "_target_" not in done.stdout  # a page for people, not the YAML
    assert max(len(line) for line in done.stdout.splitlines()) <= 100
    assert not os.listdir(cwd)
    return done.stdout


def test_help_of_train(tmp_path: Path) -> None:
    help_text = help_of("train.py", tmp_path)
    for setting in (
        *("style", "style.path", "style.size", "data.root", "experiment", "network", "loss"),
        *("style.strength", "budget", "resume", "run_dir", "trainer", "trainer.max_steps"),
    ):
        assert f" {setting}=" in help_text
    for group in ("style", "network", "loss", "trainer", "experiment"):
        for option in (CONF_DIR / group).glob("*.yaml"):
            assert re.search(rf"\b{option.stem}\b", help_text), f"{group}={option.stem}"


def test_help_of_infer(tmp_path: Path) -> None:
    help_text = help_of("infer.py", tmp_path)
    for setting in ("style", "input", "output", "size", "color", "strength", "overwrite"):
        assert f" {setting}=" in help_text


def test_help_does_not_wait_for_lightning(tmp_path: Path) -> None:
    code = "import fasttransfer.cli.train, sys; sys.exit('pytorch_lightning' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path).returncode == 0
