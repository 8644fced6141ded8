import pytest
import torch

from fasttransfer.losses.content import relative_content_loss, squared_content_loss


def test_content_losses_by_hand():
    content = torch.tensor([0.0, 2.0, 0.0, 2.0]).view(1, 1, 2, 2)  # variance 1
    stylized = content + 3
    assert squared_content_loss(stylized, content).item() == 9
    assert relative_content_loss(stylized, content).item() == 9
    assert relative_content_loss(10 * stylized, 10 * content).item() == pytest.approx(9)
    assert squared_content_loss(10 * stylized, 10 * content).item() == 900


def test_relative_content_loss_weighs_photos_alike():
    content = torch.tensor([0.0, 2.0]).view(1, 1, 1, 2)
    both = torch.cat([content, 100 * content])
    assert relative_content_loss(2 * both, both).item() == pytest.approx(2)
