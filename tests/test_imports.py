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


pytestmark = pytest.mark.slow

COMPILER = "torch._dynamo"  # takes seconds to import

LOADED = f"""
import sys

def say(*names):
    print(*(name for name in names if name in sys.modules))

import fasttransfer.cli.infer
say("torch", "numpy", "PIL")

import fasttransfer.stylizing.stylizer, fasttransfer.pipeline.media
from fasttransfer.models.style_file import find_style, load_style
load_style(find_style("mosaic"))
say(*{TRAINING + OPTIONAL}, {COMPILER!r})

import fasttransfer.live.server, fasttransfer.live.clip
say(*{TRAINING})
"""


@pytest.fixture(scope="module")
def loaded() -> list[str]:
    """What a process has loaded that it should not, after each of three steps."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_help_and_mistakes_do_not_wait_for_torch(loaded: list[str]) -> None:
    assert loaded[0] == ""


def test_a_style_is_opened_without_training_and_the_compiler(loaded: list[str]) -> None:
    assert loaded[1] == ""


def test_the_live_page_loads_nothing_of_training(loaded: list[str]) -> None:
    assert loaded[2] == ""
