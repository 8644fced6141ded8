"""The optimizer: steps of orthogonal matrices for convolutions, Adam for everything else.

Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/) moves a matrix by the orthogonal
one that is nearest to its momentum, so that all of its directions learn alike, and not only those with
the largest gradients. PyTorch's own is for matrices only, and takes them one by one; this one moves all
of a network's kernels as a single batch of matrices, padded with zeros, which change nothing.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from ..core.errors import FastTransferError
from ..core.values import number

_ITERATIONS = 5
_COEFFICIENTS = (3.4445, -4.775, 2.0315)  # the steepest that keep singular values near 1
_COLORS = 3
_MOST_STEPS = 2**53  # from there on a float no longer counts


class Muon(Optimizer):
    """Muon for kernels (outputs, inputs, height, width), as matrices of ``outputs`` rows.

    Adam for norms, biases and kernels that make the colors of a picture.

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
        for name, value in (("lr", lr), ("rms", rms)):
            if not 0 < value < math.inf:
                raise FastTransferError(f"optimizer.{name}={value} must be a number above 0.")
        if len(betas) != 2:
            raise FastTransferError(f"optimizer.betas={[*betas]} must be two numbers.")
        for name, value in (("momentum", momentum), ("betas", betas[0]), ("betas", betas[1])):
            number(f"optimizer.{name}", value, least=0, below=1)
        super().__init__(params, {"lr": lr, "betas": betas, "momentum": momentum, "rms": rms})
        self._batches: dict[tuple[Parameter, ...], _KernelBatch] = {}
        self._counts: dict[Parameter, int] = {}  # of steps, of the weights that Adam moves

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step, with the gradients that ``closure`` leaves if it is given; returns its loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            moved = [weight for weight in group["params"] if weight.grad is not None]
            kernels = [weight for weight in moved if is_kernel(weight)]
            others = [weight for weight in moved if not is_kernel(weight)]
            if kernels:
                self._move_kernels(kernels, group)
            if others:
                self._move_others(others, group)
        return loss

    def _move_others(self, weights: list[Parameter], group: dict[str, Any]) -> None:
        """Adam, for all weights together."""
        first, second = group["betas"]
        steps = [self._count(weight) for weight in weights]
        states = [self.state[weight] for weight in weights]
        means, squares = ([state[name] for state in states] for name in ("mean", "square"))
        gradients = _gradients(weights)
        torch._foreach_lerp_(means, gradients, 1 - first)
        torch._foreach_mul_(squares, second)
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - second)
        sizes = torch._foreach_div(squares, [1 - second**step for step in steps])
        torch._foreach_sqrt_(sizes)
        torch._foreach_add_(sizes, 1e-8)
        moves = torch._foreach_div(means, sizes)
        torch._foreach_mul_(moves, [group["lr"] / (1 - first**step) for step in steps])
        torch._foreach_sub_([*weights], moves)

    def _move_kernels(self, kernels: list[Parameter], group: dict[str, Any]) -> None:
        """Muon, for all kernels together."""
        for kernel in kernels:
            if not self.state[kernel]:
                self.state[kernel]["mean"] = torch.zeros_like(kernel)
        means = [self.state[kernel]["mean"] for kernel in kernels]
        gradients = _gradients(kernels)
        torch._foreach_lerp_(means, gradients, 1 - group["momentum"])
        ahead = torch._foreach_lerp(gradients, means, group["momentum"])
        key = tuple(kernels)
        if key not in self._batches:
            self._batches[key] = _KernelBatch(kernels)
        moves = self._batches[key].steps(ahead, group["lr"] * group["rms"])
        torch._foreach_sub_([*kernels], moves)

    def _count(self, weight: Parameter) -> int:
        """The number of the step that a weight is about to take.

        ``step`` of its state is for checkpoints: reading it could wait for the device.
        """
        state = self.state[weight]
        if not state:
            state["step"] = torch.zeros((), device="cpu")
            state |= {name: torch.zeros_like(weight) for name in ("mean", "square")}
            self._counts[weight] = 0
        elif weight not in self._counts:
            state["step"] = state["step"].cpu()
            self._counts[weight] = int(state["step"])
        state["step"] += 1
        self._counts[weight] += 1
        return self._counts[weight]

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """See ``Optimizer``; steps are counted on from those of ``state_dict``.

        Raises:
            FastTransferError: steps that cannot be counted on from.
        """
        super().load_state_dict(state_dict)
        self._counts.clear()
        for state in self.state.values():
            step = float(state.get("step", 0))
            if not (0 <= step < _MOST_STEPS and step.is_integer()):
                raise FastTransferError(
                    f"The optimizer's state claims {step:g} steps, so the checkpoint is damaged; start "
                    "the run again."
                )


class _KernelBatch:
    """Kernels as wide matrices in one tensor, each in the corner of its own.

    Args:
        kernels: (outputs, inputs, height, width) each.
    """

    def __init__(self, kernels: list[Parameter]) -> None:
        shapes = [(len(kernel), kernel[0].numel()) for kernel in kernels]
        self._is_tall = [rows > columns for rows, columns in shapes]
        low, wide = max(map(min, shapes)), max(map(max, shapes))
        self._matrices = kernels[0].new_zeros(len(kernels), low, wide)
        self._corners = [
            matrix[: min(shape), : max(shape)]
            for matrix, shape in zip(self._matrices, shapes, strict=True)
        ]
        # A matrix of 1s and 0s as large as its longer side has this root mean square.
        sizes = [max(shape) ** 0.5 for shape in shapes]
        self._sizes = self._matrices.new_tensor(sizes).view(-1, 1, 1)

    def steps(self, ahead: Sequence[Tensor], size: float) -> list[Tensor]:
        """The orthogonal steps for these gradients, of the kernels' shapes, times ``size``."""
        wide = [
            gradient.flatten(1).mT if is_tall else gradient.flatten(1)
            for gradient, is_tall in zip(ahead, self._is_tall, strict=True)
        ]
        torch._foreach_copy_(self._corners, wide)
        moves = orthogonal(self._matrices) * (self._sizes * size)
        return [
            (move.mT if is_tall else move)[: len(kernel), : kernel[0].numel()].reshape(kernel.shape)
            for move, is_tall, kernel in zip(moves, self._is_tall, ahead, strict=True)
        ]


def is_kernel(weight: Tensor) -> bool:
    """Whether Muon moves it: a convolution that does not make the colors of a picture."""
    return weight.ndim == 4 and len(weight) > _COLORS


def _gradients(weights: list[Parameter]) -> list[Tensor]:
    return [weight.grad for weight in weights if weight.grad is not None]


def orthogonal(matrices: Tensor) -> Tensor:
    """About the nearest matrices whose singular values are all 1, by a Newton-Schulz iteration.

    With its steep polynomial they end between 0.7 and 1.2, which serves as well.

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
        steeper = torch.baddbmm(square, square, square, beta=three, alpha=five)
        wide = torch.baddbmm(wide, steeper, wide, beta=one)
    return wide.mT if matrices.shape[1] > matrices.shape[2] else wide
