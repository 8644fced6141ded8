"""Stylizing must not wait for what only training needs."""

import subprocess
import sys

import pytest

TRAINING = (
    "pytorch_lightning",
    "lightning",
    "torchvision",
    "tensorboard",
    "torchmetrics",
    "fasttransfer.models.vgg",
    "fasttransfer.losses.perceptual",
    "fasttransfer.training.module",
    "fasttransfer.data.photos",
)
OPTIONAL = ("av", "cv2", "fastapi", "uvicorn", "websockets")


def loaded_by(modules: str, among: tuple[str, ...]) -> str:
    code = f"import sys, {modules}; print(*(m for m in {among!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_inference_path_loads_nothing_of_training() -> None:
    modules = ("cli.infer", "stylizing.stylizer", "pipeline.media", "models.style_file")
    path = ", ".join(f"fasttransfer.{module}" for module in modules)
    assert loaded_by(path, TRAINING + OPTIONAL) == ""


def test_the_live_page_loads_nothing_of_training() -> None:
    assert loaded_by("fasttransfer.live.server, fasttransfer.live.clip", TRAINING) == ""


def test_a_style_is_opened_without_the_compiler() -> None:
    """It takes seconds to import."""
    code = "import sys; from fasttransfer.models.style_file import find_style, load_style; "
    code += "load_style(find_style('mosaic')); print('torch._dynamo' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("module", ["fasttransfer.cli.infer"])
def test_help_and_mistakes_do_not_wait_for_torch(module: str) -> None:
    assert loaded_by(module, ("torch", "numpy", "PIL")) == ""
