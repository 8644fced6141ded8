from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fasttransfer.losses.gram import gram_matrix, relative_style_loss, squared_style_loss

relative = partial(relative_style_loss, over_batch=False)


def doubles(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(shape, generator=generator, dtype=torch.float64, requires_grad=True)


def test_gram_matrix_by_hand():
    features = torch.tensor([[[1.0, 2.0]], [[3.0, 0.0]]])[None]  # 2 channels, 1×2 positions
    assert torch.allclose(gram_matrix(features), torch.tensor([[[2.5, 1.5], [1.5, 4.5]]]))


def test_gram_matrix_does_not_depend_on_the_size():
    features = torch.rand(1, 5, 4, 6)
    assert torch.allclose(
        gram_matrix(features), gram_matrix(features.repeat(1, 1, 2, 3)), atol=1e-6
    )


def test_gram_matrix_of_halves_does_not_overflow():
    features = torch.full((1, 2, 64, 64), 300.0, dtype=torch.float16)  # 300² alone is infinite
    with torch.autocast("cpu", torch.bfloat16):
        gram = gram_matrix(features)
    assert gram.dtype == torch.float32
    assert torch.allclose(gram, torch.full((1, 2, 2), 90_000.0))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradient_of_a_gram_matrix_in_reduced_precision(dtype, layout):
    generator = torch.Generator().manual_seed(0)
    features = 300 * torch.rand((2, 5, 64, 64), generator=generator)
    wanted = torch.randn((2, 5, 5), generator=generator)  # not symmetric, and its terms cancel
    gradients = []
    for kind in (dtype, torch.float32):
        own = features.to(kind, memory_format=layout).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            (wanted * gram_matrix(own)).sum().backward()
        assert own.grad.dtype == kind
        gradients.append(own.grad.float())
    difference = (gradients[0] - gradients[1]).norm() / gradients[1].norm()
    assert difference < 0.01


def test_style_losses_by_hand():
    gram, style = torch.eye(2)[None], torch.zeros(1, 2, 2)
    assert squared_style_loss(gram, style).item() == 2 / 4 / 4  # mean over 4 entries, over C²
    assert relative(gram, style).item() == 1
    assert relative(gram, gram).item() == 0
    assert relative(3 * gram, gram).item() == pytest.approx(4 / 10)


def test_style_loss_over_the_batch_compares_the_mean():
    gram = torch.stack([torch.eye(2), 3 * torch.eye(2)])
    style = 2 * torch.eye(2)[None]
    assert relative_style_loss(gram, style, over_batch=True).item() == 0
    assert relative(gram, style).item() > 0


@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_relative_style_loss_lies_between_0_and_1(channels, side, seed):
    generator = torch.Generator().manual_seed(seed)
    features = [torch.randn(1, channels, side, side, generator=generator).relu() for _ in range(2)]
    loss = relative(*map(gram_matrix, features))
    assert 0 <= loss <= 1 + 1e-6


def test_the_denominator_is_held_constant():
    """d/dG ‖G−S‖²/N = 2 (G−S)/N with N = ‖G‖²+‖S‖² as a number."""
    gram = doubles(1, 3, 3)
    style = doubles(1, 3, 3).detach() + 1
    relative(gram, style).backward()
    size = gram.detach().square().sum() + style.square().sum()
    assert torch.allclose(gram.grad, 2 * (gram.detach() - style) / size)
