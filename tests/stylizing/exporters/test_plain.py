"""Networks in operations that every runtime has."""

import pytest
import torch

from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.stylizing.exporters.plain import PlainConventional
from fasttransfer.stylizing.exporters.settings import ExportSettings

SHAPES = {
    "realtime": ([4, 8], 1, 3, 2, True),
    "johnson": ([4, 6, 8], 1, 9, 1, False),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", ["32x24", "31x19", "3x1"])
def test_it_computes_the_same_of_any_size(shape: str, size: str) -> None:
    torch.manual_seed(0)
    network = TransformerNet(*SHAPES[shape]).eval().requires_grad_(False)
    convention = ExportSettings(size=size).convention
    photo = torch.rand(1, 3, *convention.size)
    stylized = PlainConventional(network, convention)(photo)
    assert (stylized - network(photo).clamp(0, 1)).abs().max() < 1e-5
