"""Mean and variance of a picture's features, merged from its tiles, in the place of instance norm."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Moments:
    """Number, mean (C,) and sum of squared deviations (C,) of a channel's values, in float64."""

    count: float
    mean: Tensor
    squares: Tensor

    @classmethod
    def of(cls, features: Tensor) -> "Moments":
        """Of (1, C, H, W)."""
        values = features[0].flatten(1).cpu().double()
        mean = values.mean(dim=1)
        return cls(values.shape[1], mean, (values - mean[:, None]).square().sum(dim=1))

    def merged(self, other: "Moments") -> "Moments":
        """Of both together (Chan, Golub & LeVeque 1979, equation 2.1)."""
        count = self.count + other.count
        difference = other.mean - self.mean
        mean = self.mean + difference * (other.count / count)
        between = difference.square() * (self.count * other.count / count)
        return Moments(count, mean, self.squares + other.squares + between)

    def to_row(self) -> np.ndarray:
        """As a row of a ``Journal``."""
        return np.concatenate([[self.count], self.mean.numpy(), self.squares.numpy()])

    @classmethod
    def from_row(cls, row: np.ndarray) -> "Moments":
        """What ``to_row`` made."""
        mean, squares = torch.from_numpy(row[1:]).chunk(2)
        return cls(float(row[0]), mean, squares)


class FrozenInstanceNorm(nn.BatchNorm2d):
    """An instance norm whose statistics were found before: batch norm in evaluation."""

    def __init__(self, norm: nn.InstanceNorm2d) -> None:
        super().__init__(norm.num_features, eps=norm.eps)
        self.weight, self.bias = norm.weight, norm.bias
        self.to(norm.weight).eval()

    def set(self, moments: Moments) -> None:
        """Takes these for the whole picture's."""
        assert self.running_mean is not None
        assert self.running_var is not None
        self.running_mean.copy_(moments.mean)
        self.running_var.copy_(moments.squares / moments.count)
