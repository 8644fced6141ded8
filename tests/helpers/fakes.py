"""Devices that are not there: shapes without numbers."""

import pytest
import torch

_VERSION = tuple(int(part) for part in torch.__version__.split(".")[:2])

fake_cuda = pytest.mark.skipif(
    _VERSION < (2, 11), reason="an older PyTorch asks for a driver even of a fake GPU"
)
