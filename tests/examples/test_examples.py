import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch
from PIL import Image

import fasttransfer as ft

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_node_stylizes_as_the_package_does():
    node = load("comfyui_node").StylizeImage()
    image = torch.rand(2, 40, 60, 3, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(1, 40, 60)
    mask[..., :30] = 1
    [whole] = node.stylize(image, "mosaic_realtime", 1.0, "style")
    expected = ft.load("mosaic_realtime")(image.movedim(-1, 1)).movedim(1, -1)
    assert torch.equal(whole, expected)
    [half] = node.stylize(image, "mosaic_realtime", 1.0, "style", mask)
    assert torch.equal(half[:, :, 33:], image[:, :, 33:])
    [blend] = node.stylize(image, "oil", 1.0, "style", None, "mosaic_realtime:1")
    assert torch.equal(blend, whole)
    kinds = node.INPUT_TYPES()
    assert "mosaic" in kinds["required"]["style"][0]


@pytest.mark.slow
def test_the_page_stylizes():
    pytest.importorskip("gradio")
    module = load("gradio_app")
    module.make_page()
    photo = Image.new("RGB", (60, 40), "white")
    assert module.stylize(photo, "mosaic_realtime", "udnie_realtime", 0.5, 1.0, 128).size == (
        60,
        40,
    )
    assert module.stylize(None, "mosaic", None, 0.5, 1.0, 128) is None
