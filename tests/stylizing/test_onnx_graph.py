"""Graphs of networks, executed by ONNX Runtime."""

import onnx
import onnxruntime
import pytest
import torch

from fasttransfer.core.errors import FastTransferError
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.stylizing.onnx_graph import to_onnx


def tiny(seed: int = 0) -> TransformerNet:
    torch.manual_seed(seed)
    return TransformerNet([4, 8], 1, 3, 2, True).eval().requires_grad_(False)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 3, 8, 8), (2, 3, 21, 34), (3, 3, 64, 10)])
def test_onnx_is_the_network_at_any_size(shape: tuple[int, ...]) -> None:
    network = tiny()
    content = torch.rand(shape)
    session = onnxruntime.InferenceSession(to_onnx(network, "photos"))
    stylized = session.run(None, {"content": content.numpy()})[0]
    assert stylized.shape == shape
    assert abs(stylized - network(content).numpy()).max() <= 1e-4


@pytest.mark.slow
def test_the_graph_of_a_shape_is_exported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    to_onnx(tiny(), "photos")
    monkeypatch.setattr(torch.onnx, "export", None)
    content = torch.rand(1, 3, 16, 16)
    session = onnxruntime.InferenceSession(to_onnx(tiny(seed=1), "photos"))
    stylized = session.run(None, {"content": content.numpy()})[0]
    assert abs(stylized - tiny(seed=1)(content).numpy()).max() <= 1e-4


@pytest.mark.slow
def test_axes_have_names() -> None:
    model = onnx.load_from_string(to_onnx(tiny(), "frames"))
    for value in (model.graph.input[0], model.graph.output[0]):
        dims = value.type.tensor_type.shape.dim
        assert [d.dim_param or d.dim_value for d in dims] == ["batch", "height", "width", 3]


def test_another_kind_is_refused() -> None:
    with pytest.raises(FastTransferError, match="export_kind=pictures"):
        to_onnx(tiny(), "pictures")
