"""Graphs and weights as a page loads them, run by ONNX Runtime."""

import numpy as np
import onnxruntime
import pytest
import torch

from fasttransfer.models.style_file import StyleFile, find_style, load_style
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.web.networks import blends, graph_of, packed_weights, shape_of

pytest.importorskip("onnxscript")


def tiny(seed: int = 0) -> TransformerNet:
    torch.manual_seed(seed)
    return TransformerNet([4, 8], 1, 3, 2, False).eval().requires_grad_(False)


@pytest.mark.slow  # exporting
def test_one_graph_runs_all_networks_of_its_shape():
    graph = graph_of(tiny())
    assert len(graph.model) < 50_000
    assert b"site-packages" not in graph.model  # nothing of this machine
    session = onnxruntime.InferenceSession(graph.model, providers=["CPUExecutionProvider"])
    for network, height, width in ((tiny(1), 24, 37), (tiny(2), graph.smallest, graph.smallest)):
        packed, kind = packed_weights(network)
        assert kind == "float32"
        weights, start, feeds = np.frombuffer(packed, "<f4"), 0, {}
        for name, shape in graph.weights:
            end = start + int(np.prod(shape))
            feeds[name], start = weights[start:end].reshape(shape), end
        assert start == len(weights)
        content = torch.rand(1, 3, height, width)
        [stylized] = session.run(None, {"content": content.numpy(), **feeds})
        torch.testing.assert_close(
            torch.from_numpy(stylized), network(content), atol=1e-4, rtol=1e-4
        )


def test_half_precision_where_it_loses_nothing():
    network = tiny()
    packed, kind = packed_weights(network.half().float())
    assert kind == "float16"
    values = torch.cat([value.flatten() for value in network.state_dict().values()])
    assert torch.equal(torch.from_numpy(np.frombuffer(packed, "<f2").astype("<f4")), values)
    parameter = next(network.parameters())
    for value in (1e5, 1 / 3, 1e-9):  # too large, too fine, too small
        parameter.view(-1)[0] = value
        assert packed_weights(network)[1] == "float32"


def test_only_what_has_the_same_start_is_mixed_by_weights():
    mosaic, udnie = (load_style(find_style(f"{name}_realtime")) for name in ("mosaic", "udnie"))
    large = load_style(find_style("mosaic"))
    other = StyleFile(tiny(), "wood")
    assert shape_of(mosaic.network) == shape_of(udnie.network) != shape_of(large.network)
    found = blends([mosaic, udnie, large, other])
    assert found == [[udnie.name], [mosaic.name], [], []]
