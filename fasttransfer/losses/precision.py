"""The precision in which losses are summed."""

import torch
from torch import Tensor


def widened(values: Tensor) -> Tensor:
    """At least float32, in which sums over positions neither overflow nor lose their small terms."""
    return values if values.dtype == torch.float64 else values.float()
