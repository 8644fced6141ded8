"""8-bit integers for ONNX Runtime."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from fasttransfer.models.style_file import StyleFile
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.stylizing.export import export_style
from fasttransfer.stylizing.exporters.settings import ExportSettings


@pytest.mark.slow
def test_int8_holds_integers_stays_close_and_says_how_close(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = TransformerNet([4, 8], 1, 3, 2, True).eval().requires_grad_(False)
    settings = ExportSettings(precision="int8", size="64x48", kind="frames")
    written = export_style(StyleFile(network, "tiny"), str(tmp_path), settings)
    model = onnx.load(written.path)
    kernels = [one.data_type for one in model.graph.initializer if len(one.dims) == 4]
    assert set(kernels) == {onnx.TensorProto.INT8}
    assert {"precision": "int8"}.items() <= {p.key: p.value for p in model.metadata_props}.items()
    assert "of 255 levels from PyTorch" in written.facts
    frame = np.random.default_rng(0).integers(0, 256, (1, 48, 64, 3), dtype=np.uint8)
    session = onnxruntime.InferenceSession(str(written.path))
    stylized = session.run(None, {"content": frame})[0]
    photo = torch.from_numpy(frame).permute(0, 3, 1, 2) / 255
    expected = network(photo).clamp(0, 1).permute(0, 2, 3, 1).numpy() * 255
    assert abs(stylized - expected).mean() < 5
