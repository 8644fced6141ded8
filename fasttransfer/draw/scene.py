"""What a scene is: flat, colored shapes, painted from back to front.

Coordinates run from 0 to 1, x to the right and y down. A shape painted later lies on top and has a
larger label.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from fasttransfer.draw.canvas import Array, Labels, vary

Point = tuple[float, float]


class Scene:
    """A picture of flat shapes: which shape every pixel belongs to, and every shape's color."""

    def __init__(self, size: int, rng: np.random.Generator) -> None:
        self.size = size
        self.rng = rng
        self._image = Image.new("I", (size, size))
        self._draw = ImageDraw.Draw(self._image)
        self._colors: list[Array] = []

    @property
    def labels(self) -> Labels:
        """Index of the shape seen at every pixel, ``(size, size)``; larger lies nearer."""
        return np.asarray(self._image, np.int32)

    @property
    def colors(self) -> Array:
        """Color of every shape, ``(shapes, 3)``."""
        return np.stack(self._colors)

    @property
    def picture(self) -> Array:
        """The flat picture, ``(size, size, 3)``."""
        return self.colors[self.labels]

    def polygon(self, points: Sequence[Point], color: Array) -> None:
        """A filled polygon, its color varied a little: no two shapes are quite alike."""
        label = self._add(color)
        self._draw.polygon([(x * self.size, y * self.size) for x, y in points], fill=label)

    def disc(self, x: float, y: float, radius: float, color: Array, squash: float = 1.0) -> None:
        """A filled ellipse, ``squash`` times as high as wide, with a slightly uneven rim."""
        angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        bumps = self.rng.normal(0, 0.04, 3)
        rim = radius * (
            1 + sum(bump * np.cos((k + 2) * angles + k) for k, bump in enumerate(bumps))
        )
        self.polygon(
            list(zip(x + rim * np.cos(angles), y + rim * squash * np.sin(angles), strict=True)),
            color,
        )

    def below(self, ridge: Array, color: Array) -> None:
        """Everything under a line of heights that runs from the left edge to the right."""
        line = list(zip(np.linspace(0, 1, len(ridge)).tolist(), ridge.tolist(), strict=True))
        self.polygon([(0, 1.01), *line, (1, 1.01)], color)

    def _add(self, color: Array) -> int:
        self._colors.append(vary(color, self.rng, 0.06, 0.08, 0.02))
        return len(self._colors) - 1


def ridge(rng: np.random.Generator, height: float, swing: float, waves: float) -> Array:
    """A wavy line of heights around ``height``, ``swing`` up and down, about ``waves`` crests."""
    x = np.linspace(0, 1, 160)
    line = np.full_like(x, height)
    for octave in range(3):
        pace = waves * 2**octave * rng.uniform(0.8, 1.2)
        line += swing / 2**octave * np.sin(2 * np.pi * (pace * x + rng.uniform()))
    return line.astype(np.float32)
