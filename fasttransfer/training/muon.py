"""The optimizer: steps of orthogonal matrices for convolutions, Adam for everything else.

Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/) moves a matrix by the orthogonal
one that is nearest to its momentum, so that all of its directions learn alike, and not only those with
the largest gradients. PyTorch's own is for matrices only, and takes them one by one.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from ..core.errors import FastTransferError

_ITERATIONS = 5
_COEFFICIENTS = (3.4445, -4.775, 2.0315)  # the steepest that keep singular values near 1
_COLOURS = 3


class Muon(Optimizer):
    """Muon for kernels (outputs, inputs, height, width), as matrices of ``outputs`` rows; Adam for
    norms, biases and kernels that make the colours of a picture.

    Args:
        params: of the network.
        lr: learning rate of both.
        betas: of Adam's two averages.
        momentum: of Muon's average, which is Nesterov's.
        rms: root mean square of a kernel's step in learning rates, whatever its shape (Liu et al. 2025,
            arXiv:2502.16982, where 0.2 is what Adam's steps are).

    Raises:
        FastTransferError: a number that makes no sense.
    """

    def __init__(
        self,
        params: Iterable[Parameter],
        lr: float,
        betas: tuple[float, float],
        momentum: float,
        rms: float,
    ) -> None:
        for name, number in (("lr", lr), ("rms", rms)):
            if not 0 < number < math.inf:
                raise FastTransferError(f"optimizer.{name}={number} must be a number above 0.")
        if len(betas) != 2:
            raise FastTransferError(f"optimizer.betas={[*betas]} must be two numbers.")
        for name, numbers in (("momentum", [momentum]), ("betas", [*betas])):
            if not all(0 <= number < 1 for number in numbers):
                told = ", ".join(map(str, numbers))
                raise FastTransferError(f"optimizer.{name}: {told} must be from 0 to below 1.")
        super().__init__(params, {"lr": lr, "betas": betas, "momentum": momentum, "rms": rms})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step, with the gradients that ``closure`` leaves if it is given; returns its loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            alike: dict[tuple[int, ...], list[Parameter]] = {}  # kernels, which go together
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                if weight.ndim == 4 and len(weight) > _COLOURS:
                    alike.setdefault(tuple(weight.shape), []).append(weight)
                else:
                    weight.sub_(group["lr"] * self._adam(weight, *group["betas"]))
            for kernels in alike.values():
                self._move(kernels, group)
        return loss

    def _adam(self, weight: Parameter, first: float, second: float) -> Tensor:
        gradient, state = weight.grad, self.state[weight]
        assert gradient is not None
        if not state:
            state["step"] = torch.zeros(())
            state |= {name: torch.zeros_like(weight) for name in ("mean", "square")}
        state["step"] += 1
        number = state["step"].item()
        mean = state["mean"].lerp_(gradient, 1 - first) / (1 - first**number)
        square = state["square"].lerp_(gradient.square(), 1 - second) / (1 - second**number)
        return mean / (square.sqrt() + 1e-8)

    def _move(self, kernels: list[Parameter], group: dict[str, Any]) -> None:
        ahead = []
        for kernel in kernels:
            gradient, state = kernel.grad, self.state[kernel]
            assert gradient is not None
            if not state:
                state["mean"] = torch.zeros_like(kernel)
            state["mean"].lerp_(gradient, 1 - group["momentum"])
            ahead.append(gradient.lerp(state["mean"], group["momentum"]).flatten(1))
        matrices = torch.stack(ahead)
        size = group["lr"] * group["rms"] * max(matrices.shape[1:]) ** 0.5
        for kernel, step in zip(kernels, orthogonal(matrices), strict=True):
            kernel.sub_(size * step.view_as(kernel))


def orthogonal(matrices: Tensor) -> Tensor:
    """About the nearest matrices whose singular values are all 1, by a Newton-Schulz iteration; with
    its steep polynomial they end between 0.7 and 1.2, which serves as well.

    Args:
        matrices: (K, M, N).

    Returns:
        (K, M, N); zeros for zeros.
    """
    wide = matrices.mT if matrices.shape[1] > matrices.shape[2] else matrices
    one, three, five = _COEFFICIENTS
    wide = wide / wide.norm(dim=(1, 2), keepdim=True).clamp_min(1e-12)
    for _ in range(_ITERATIONS):
        square = wide @ wide.mT
        wide = one * wide + (three * square + five * square @ square) @ wide
    return wide.mT if matrices.shape[1] > matrices.shape[2] else wide
