"""Style images of our own making: procedural scenes rendered in ten media with Pillow and NumPy.

    python -m fasttransfer.draw FOLDER            # the ones in fasttransfer/assets/styles/
    python -m fasttransfer.draw FOLDER --seed 7   # ten others

From Python, ``STYLES["mosaic"](768, np.random.default_rng(7))`` is a picture. The random generator
decides motif, palette and every mark: the same generator state and size give the same picture,
another state gives another. At another size the same state gives the same composition, with its
texture scaled along.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

from fasttransfer.draw.pieces import facets, mosaic, stained_glass
from fasttransfer.draw.sheets import paper, watercolor, woodcut
from fasttransfer.draw.strokes import embroidery, hatching, oil, points

STYLES: dict[str, Callable[[int, np.random.Generator], Image.Image]] = {
    "embroidery": embroidery,
    "facets": facets,
    "hatching": hatching,
    "mosaic": mosaic,
    "oil": oil,
    "paper": paper,
    "points": points,
    "stained_glass": stained_glass,
    "watercolor": watercolor,
    "woodcut": woodcut,
}

# The pictures that are bundled in fasttransfer/assets/styles/, chosen by looking at many.
BUNDLED_SEEDS = {
    "embroidery": 3,
    "facets": 8,
    "hatching": 9,
    "mosaic": 1,
    "oil": 3,
    "paper": 6,
    "points": 2,
    "stained_glass": 5,
    "watercolor": 6,
    "woodcut": 3,
}

# The names that seeds were made of, so that a renamed style keeps its pictures.
_FIRST_NAMES = {"watercolor": "watercolour"}


def draw(name: str, size: int = 768, seed: int = 0) -> Image.Image:
    """The style image ``name`` (a key of ``STYLES``) as RGB, ``size`` pixels wide and high.

    The name enters the seed, so that one seed does not give all media the same motif and palette.
    """
    if name not in STYLES:
        raise ValueError(f"unknown style {name!r}: choose one of {', '.join(STYLES)}")
    if size < 32:
        raise ValueError(f"size is {size}, but a style image needs at least 32 pixels")
    if seed < 0:
        raise ValueError(f"seed is {seed}, but must not be negative")
    first_name = _FIRST_NAMES.get(name, name)
    return STYLES[name](size, np.random.default_rng([seed, zlib.crc32(first_name.encode())]))
