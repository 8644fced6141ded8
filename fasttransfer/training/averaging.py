"""The average of the weights over the last part of a run, which is what is kept of it."""

import copy

import torch
from torch import Tensor, nn

from ..models.transformer_net import TransformerNet


class RunningAverage(nn.Module):
    """A moving average of a network's weights whose time constant is a part of the steps so far.

    Its weights fall as k^(1 / part − 1), with k the number of the step, so that the beginning has no
    share at any time, however long the run will be (polynomial-decay averaging, Shamir & Zhang 2013,
    arXiv:1212.1824). PyTorch's ``AveragedModel`` has the same names in a checkpoint, but counts on
    the device, and so waits for it in each step.

    Args:
        network: whose weights are averaged.
        part: of the steps so far, from 0 to below 1; 0 keeps the last weights.

    Attributes:
        module: the network with the averaged weights.
        steps: how many have been averaged.
    """

    n_averaged: Tensor

    def __init__(self, network: TransformerNet, part: float) -> None:
        super().__init__()
        self.module = copy.deepcopy(network).requires_grad_(False)
        self.part = part
        self.steps = 0
        self.register_buffer("n_averaged", torch.tensor(0))  # of a checkpoint
        self.register_state_dict_pre_hook(self._count)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_post_hook(self._read_count)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def update(self, network: TransformerNet) -> None:
        """Counts the weights of ``network`` after a step into the average."""
        self.steps += 1
        share = 1 / max(1.0, self.part * self.steps)
        torch._foreach_lerp_([*self.module.parameters()], [*network.parameters()], share)

    def _count(self, *_: object) -> None:
        self.n_averaged.fill_(self.steps)

    def _read_count(self, *_: object) -> None:
        self.steps = int(self.n_averaged)
