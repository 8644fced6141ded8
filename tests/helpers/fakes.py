"""Devices that are not there: shapes without numbers."""

import pytest
import torch
from torch import Tensor, nn

_VERSION = tuple(int(part) for part in torch.__version__.split(".")[:2])

fake_cuda = pytest.mark.skipif(
    _VERSION < (2, 11), reason="an older PyTorch asks for a driver even of a fake GPU"
)


def move_to_fake_cuda(module: nn.Module) -> None:
    """Replaces all tensors of a module by ones without numbers; to be called in a ``FakeTensorMode``."""

    def fake(value: Tensor) -> Tensor:
        return torch.empty_strided(
            value.shape, value.stride(), dtype=value.dtype, device=torch.device("cuda")
        )

    for each in module.modules():
        for name, value in [*each.named_parameters(recurse=False)]:
            setattr(each, name, nn.Parameter(fake(value), value.requires_grad))
        for name, buffer in [*each.named_buffers(recurse=False)]:
            setattr(each, name, fake(buffer))
