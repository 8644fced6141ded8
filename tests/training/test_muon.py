"""The optimizer's steps are those of the papers."""

import copy
import math

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import Parameter

from fasttransfer.core.errors import FastTransferError
from fasttransfer.training.muon import Muon, orthogonal
from tests.helpers.fakes import fake_cuda
from tests.helpers.operations import Operations

SETTINGS = {"lr": 0.01, "betas": (0.9, 0.99), "momentum": 0.95, "rms": 0.2}


def moved(weights: list[Parameter], gradients: list[list[Tensor]]) -> list[Parameter]:
    """Copies of ``weights`` after a step for each of ``gradients``."""
    weights = copy.deepcopy(weights)
    optimizer = Muon(weights, **SETTINGS)
    for step in gradients:
        for weight, gradient in zip(weights, step, strict=True):
            weight.grad = gradient.clone()
        optimizer.step()
    return weights


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 24, 108), (2, 64, 12), (1, 1, 1)])
def test_singular_values_come_near_one_and_directions_stay(shape: tuple[int, int, int]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    values = (left.mT @ orthogonal(matrices) @ right.mT).diagonal(dim1=1, dim2=2)
    assert values.min() > 0.6
    assert values.max() < 1.3


@pytest.mark.parametrize(
    "wrong",
    [
        {"lr": -1},
        {"lr": 0},
        {"lr": math.inf},
        {"rms": -0.2},
        {"momentum": 2},
        {"betas": (0.9, 1.0)},
        {"betas": (0.9,)},
    ],
)
def test_numbers_that_make_no_sense_are_rejected(wrong: dict[str, object]) -> None:
    with pytest.raises(FastTransferError, match=f"optimizer.{next(iter(wrong))}"):
        Muon([Parameter(torch.zeros(2))], **(SETTINGS | wrong))


def test_no_gradient_is_no_step() -> None:
    assert torch.equal(orthogonal(torch.zeros(2, 3, 4)), torch.zeros(2, 3, 4))


def test_a_kernel_moves_as_far_as_is_said_whatever_its_gradient() -> None:
    kernel = Parameter(torch.zeros(16, 8, 3, 3))
    gradient = torch.randn(kernel.shape, generator=torch.Generator().manual_seed(0))
    for size in (1e-6, 1.0, 1e6):
        (after,) = moved([kernel], [[size * gradient]])
        assert after.square().mean().sqrt().item() == pytest.approx(0.01 * 0.2, rel=0.2)
        assert (after * gradient).sum() < 0  # downhill


def test_norms_and_the_colors_of_the_output_move_as_adam_moves_them() -> None:
    chance = torch.Generator().manual_seed(0)
    weights = [Parameter(torch.randn(shape, generator=chance)) for shape in [(5,), (3, 3, 3, 3)]]
    gradients = [[torch.randn(w.shape, generator=chance) for w in weights] for _ in range(4)]
    ours = moved(weights, gradients)
    adam = torch.optim.Adam(weights, lr=SETTINGS["lr"], betas=SETTINGS["betas"])
    for step in gradients:
        for weight, gradient in zip(weights, step, strict=True):
            weight.grad = gradient
        adam.step()
    for one, other in zip(ours, weights, strict=True):
        torch.testing.assert_close(one, other)


def test_kernels_of_one_shape_move_as_they_would_alone() -> None:
    chance = torch.Generator().manual_seed(0)
    kernels = [Parameter(torch.randn(8, 4, 3, 3, generator=chance)) for _ in range(3)]
    gradients = [[torch.randn(k.shape, generator=chance) for k in kernels] for _ in range(2)]
    together = moved(kernels, gradients)
    for place, kernel in enumerate(kernels):
        (alone,) = moved([kernel], [[step[place]] for step in gradients])
        torch.testing.assert_close(together[place], alone)


def test_a_loaded_state_goes_on_as_before() -> None:
    chance = torch.Generator().manual_seed(0)
    weights = [Parameter(torch.randn(shape, generator=chance)) for shape in [(5,), (8, 4, 3, 3)]]
    gradients = [[torch.randn(w.shape, generator=chance) for w in weights] for _ in range(3)]
    expected = moved(weights, gradients)
    first = Muon(weights, **SETTINGS)
    for number, step in enumerate(gradients):
        optimizer = first
        if number == 2:
            optimizer = Muon(weights, **SETTINGS)
            optimizer.load_state_dict(first.state_dict())
        for weight, gradient in zip(weights, step, strict=True):
            weight.grad = gradient
        optimizer.step()
    for one, other in zip(weights, expected, strict=True):
        assert torch.equal(one, other)


def test_a_closure_gives_loss_and_gradients() -> None:
    weight = Parameter(torch.ones(2))
    optimizer = Muon([weight, Parameter(torch.ones(1))], **SETTINGS)  # the second has no gradient

    def closure() -> float:
        loss = weight.square().sum()
        loss.backward()
        return loss.item()

    assert optimizer.step(closure) == 2
    assert weight.max() < 1


def one_by_one(weights: list[Tensor], gradients: list[list[Tensor]]) -> list[Tensor]:
    """Muon as it is defined: each kernel alone, with the textbook's formulas."""
    means = [torch.zeros_like(weight) for weight in weights]
    lr, momentum, rms = (float(SETTINGS[name]) for name in ("lr", "momentum", "rms"))  # type: ignore[arg-type]
    weights = [weight.detach().clone() for weight in weights]
    for step in gradients:
        for weight, mean, gradient in zip(weights, means, step, strict=True):
            mean.mul_(momentum).add_(gradient, alpha=1 - momentum)
            matrix = (momentum * mean + (1 - momentum) * gradient).flatten(1)
            matrix = matrix / matrix.norm()
            for _ in range(5):
                square = matrix @ matrix.mT
                matrix = 3.4445 * matrix + (-4.775 * square + 2.0315 * square @ square) @ matrix
            weight -= lr * rms * max(matrix.shape) ** 0.5 * matrix.view_as(weight)
    return weights


def test_kernels_of_all_shapes_together_move_as_they_would_one_by_one() -> None:
    chance = torch.Generator().manual_seed(0)
    shapes = [
        (24, 12, 3, 3),
        (64, 24, 3, 3),
        (64, 64, 3, 3),
        (24, 64, 3, 3),
        (12, 24, 3, 3),
        (64, 2, 1, 1),
    ]
    weights = [torch.randn(shape, generator=chance) for shape in shapes]
    gradients = [[torch.randn(w.shape, generator=chance) for w in weights] for _ in range(3)]
    together = moved([Parameter(weight) for weight in weights], gradients)
    for ours, expected in zip(together, one_by_one(weights, gradients), strict=True):
        torch.testing.assert_close(ours.detach(), expected, rtol=0, atol=1e-6)


@fake_cuda
def test_a_step_on_a_device_takes_few_operations_and_never_waits_for_it() -> None:
    """Counted on tensors without numbers, of a network as large as the default one."""
    with FakeTensorMode(), torch.device("cuda"):
        weights = [
            Parameter(torch.empty(shape))
            for shape in ((64, 64, 3, 3), (24, 12, 3, 3), (64,), (3,)) * 8
        ]
        optimizer = Muon(weights, **SETTINGS)  # type: ignore[arg-type]
        for _ in range(2):
            for weight in weights:
                weight.grad = torch.empty_like(weight)
            with Operations() as counted:
                optimizer.step()
    assert len(counted.launched) < 60  # one for each kernel and operation would be hundreds
    assert not counted.waits
    assert not counted.crossings


@pytest.mark.parametrize("steps", [-1.0, -1e6, math.nan, math.inf, 0.5, 1e300])
def test_steps_that_cannot_be_counted_on_from_are_refused(steps: float) -> None:
    weight = Parameter(torch.zeros(2))
    weight.grad = torch.ones(2)
    optimizer = Muon([weight], **SETTINGS)
    optimizer.step()
    state = optimizer.state_dict()
    state["state"][0]["step"] = torch.tensor(steps, dtype=torch.float64)
    with pytest.raises(FastTransferError, match="the checkpoint is damaged"):
        Muon([weight], **SETTINGS).load_state_dict(state)
