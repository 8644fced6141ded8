"""Files for phones, run by the runtimes of their formats where these are installed."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.libraries import is_installed
from fasttransfer.models.style_file import StyleFile
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.stylizing.export import export_style
from fasttransfer.stylizing.exporters import executorch_file, litert_file
from fasttransfer.stylizing.exporters.settings import ExportSettings

FORMATS = {
    "executorch": ("executorch", executorch_file.runner),
    "litert": ("litert_torch", litert_file.runner),
}


def style() -> StyleFile:
    torch.manual_seed(0)
    return StyleFile(TransformerNet([4, 8], 1, 3, 2, True).eval().requires_grad_(False), "tiny")


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_bytes_of_an_odd_size(form: str, tmp_path: Path) -> None:
    library, runner = FORMATS[form]
    if not is_installed(library):
        pytest.skip(f"{library} is not installed")
    settings = ExportSettings(form, kind="frames", size="31x19")
    path = export_style(style(), str(tmp_path), settings).path
    frame = np.random.default_rng(0).integers(0, 256, (1, 19, 31, 3), dtype=np.uint8)
    photo = torch.from_numpy(frame).permute(0, 3, 1, 2) / 255
    expected = style().network(photo).clamp(0, 1).permute(0, 2, 3, 1).numpy() * 255
    assert abs(runner(path)(frame) - expected).max() < 0.51


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_missing_is_named(form: str, tmp_path: Path) -> None:
    with pytest.raises(FastTransferError, match=f"export={form} has pictures of one size"):
        ExportSettings(form)
    if not is_installed(FORMATS[form][0]):
        with pytest.raises(FastTransferError, match=rf"fasttransfer\[{form}\]"):
            export_style(style(), str(tmp_path), ExportSettings(form, size="32x24"))
        assert not list(tmp_path.iterdir())
