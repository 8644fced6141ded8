"""Tools that every medium shares: palettes, smooth noise, directions to stroke along.

Pictures are float arrays ``(size, size, 3)`` in [0, 1]; lengths are in pixels.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Array = NDArray[np.floating[Any]]
Labels = NDArray[np.int32]
Palette = dict[str, Array]
Scalar = TypeVar("Scalar", bound=np.generic)

ROLES = ("sky", "glow", "sun", "far", "mid", "near", "water", "warm", "bright", "dark", "light")
PALETTES = (
    "2b3a7a f4a259 ffd166 7a5c99 3d6b8e 1f4e4a 2f8f9d d1495b edae49 1a1a3a fff1d6",  # dusk at sea
    "3f7fbf f6d186 ffe066 8e7cc3 6a994e 386641 4ea8de bc4749 f2a541 22223b fefae0",  # summer
    "4a7c8c f2c57c f25c54 9c6644 c8553d 6a3e37 588b8b d62828 f4a300 2b1d1d ffe8c9",  # autumn
    "1b2a6b 4f7fc4 ffe28a 33479c 1f6f9b 174a6e 1b7cb8 e4572e f6ae2d 0b1030 e8f1ff",  # night
    "00a0a6 ffd6a5 ff7f51 7b6cd6 2a9d8f 0b6e4f 118ab2 ef476f ffc43d 1b2a49 fff8e7",  # the tropics
    "5e8c98 f7b5a5 fff0b3 a06c9b d1698c 5f4b8b 3aa6a0 e63973 ffb44a 2d1b3d fdeff2",  # rose and teal
)

# Luma and two opponent colors: rotating the last two turns the hue and leaves the lightness alone.
_TO_OPPONENT = np.array(
    [[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]], np.float32
)
_FROM_OPPONENT = np.linalg.inv(_TO_OPPONENT).astype(np.float32)


def luma(colors: Array) -> Array:
    """Perceived lightness of ``(..., 3)`` colors, ``(...)`` in [0, 1]."""
    return np.asarray(colors @ _TO_OPPONENT[0])


def recolor(
    colors: Array, turn: Array | float, chroma: Array | float, light: Array | float
) -> Array:
    """Turn the hue by ``turn`` radians, multiply the chroma, add ``light``; result in [0, 1]."""
    opponent = colors @ _TO_OPPONENT.T
    first, second = opponent[..., 1], opponent[..., 2]
    cos, sin = np.cos(turn), np.sin(turn)
    turned = np.stack(
        [
            opponent[..., 0] + light,
            (first * cos - second * sin) * chroma,
            (first * sin + second * cos) * chroma,
        ],
        axis=-1,
    )
    return np.asarray(np.clip(turned @ _FROM_OPPONENT.T, 0, 1), np.float32)


def vary(colors: Array, rng: np.random.Generator, hue: float, chroma: float, light: float) -> Array:
    """Shift each of the ``(..., 3)`` colors at random; the amounts are standard deviations."""
    shape = colors.shape[:-1]
    return recolor(
        colors,
        rng.normal(0, hue, shape),
        np.exp(rng.normal(0, chroma, shape)),
        rng.normal(0, light, shape),
    )


def choose_palette(rng: np.random.Generator) -> Palette:
    """One of ``PALETTES`` as role → color, all hues turned by a little: no two are the same."""
    codes = PALETTES[rng.integers(len(PALETTES))].split()
    colors = np.array([list(bytes.fromhex(code)) for code in codes], np.float32) / 255
    turned = recolor(colors, rng.normal(0, 0.12), rng.uniform(0.95, 1.2), 0.0)
    return dict(zip(ROLES, turned, strict=True))


def mix(first: Array, second: Array, share: Array | float) -> Array:
    """``first`` where ``share`` is 0, ``second`` where it is 1."""
    share = np.asarray(share, np.float32)
    if share.ndim:
        share = share[..., None]
    return (first + (second - first) * share).astype(np.float32)


def noise(size: int, cell: float, rng: np.random.Generator, stretch: float = 1.0) -> Array:
    """Smooth noise in [-1, 1]: blobs ``cell`` pixels high and ``stretch`` times as wide."""
    rows = max(2, round(size / cell) + 1)
    columns = max(2, round(size / cell / stretch) + 1)
    grid = rng.normal(0, 0.5, (rows, columns)).astype(np.float32)
    return np.clip(resize(grid, size), -1, 1)


def resize(plane: Array, size: int) -> Array:
    """One ``(h, w)`` plane, resampled to ``(size, size)``."""
    return np.asarray(Image.fromarray(plane).resize((size, size), Image.Resampling.BICUBIC))


def resize_labels(labels: Labels, size: int) -> Labels:
    """A label plane at ``(size, size)``: labels are picked, never blended."""
    return np.asarray(Image.fromarray(labels).resize((size, size), Image.Resampling.NEAREST))


def smooth(plane: Array, radius: float) -> Array:
    """Blur a plane over about ``radius`` pixels by shrinking it: cheap at any radius."""
    size = plane.shape[0]
    small = max(2, round(size / max(radius, 1)))
    shrunk = Image.fromarray(plane.astype(np.float32)).resize((small, small), Image.Resampling.BOX)
    return np.asarray(shrunk.resize((size, size), Image.Resampling.BICUBIC))


def warped(
    plane: NDArray[Scalar], rng: np.random.Generator, amount: float, cell: float
) -> NDArray[Scalar]:
    """``plane`` seen through an unsteady hand: every pixel is read up to ``amount`` pixels away."""
    size = plane.shape[0]
    rows, columns = np.mgrid[:size, :size]
    rows = np.clip(rows + noise(size, cell, rng) * amount, 0, size - 1).astype(np.int32)
    columns = np.clip(columns + noise(size, cell, rng) * amount, 0, size - 1).astype(np.int32)
    return np.asarray(plane[rows, columns])


def directions(picture: Array, rng: np.random.Generator, swirl: float = 0.5) -> Array:
    """Angle in radians to stroke along: contours near edges, slow swirls elsewhere.

    ``swirl`` weighs the swirls: 0 follows the picture alone, 2 hardly cares for it.
    """
    size = picture.shape[0]
    plane = smooth(luma(picture), size / 150)
    down, right = np.gradient(plane)
    reach = size / 28
    across = smooth(right * right - down * down, reach)
    twist = smooth(2 * right * down, reach)
    strength = np.hypot(across, twist) + 1e-9
    certainty = strength / (strength + strength.mean())
    wander = noise(size, size / 3, rng) * np.pi + rng.uniform(0, np.pi)
    # Angles are averaged doubled: a stroke has no head, so 0 and 180 degrees are one direction.
    cos = -across / strength * certainty + swirl * np.cos(2 * wander)
    sin = -twist / strength * certainty + swirl * np.sin(2 * wander)
    return np.asarray(np.arctan2(sin, cos) / 2, np.float32)


def edges(labels: Labels) -> NDArray[np.bool_]:
    """True where the pixel to the right or below carries another label."""
    found = np.zeros(labels.shape, bool)
    found[:, :-1] |= labels[:, 1:] != labels[:, :-1]
    found[:-1] |= labels[1:] != labels[:-1]
    return found


def outline(labels: Labels, blur: float, widen: float = 0.0) -> Array:
    """Soft lines in [0, 1] where shapes meet, ``widen`` pixels thicker on each side."""
    drawn = Image.fromarray((edges(labels) * 255).astype(np.uint8))
    if widen:
        drawn = drawn.filter(ImageFilter.MaxFilter(2 * max(1, round(widen)) + 1))
    return np.asarray(drawn.filter(ImageFilter.GaussianBlur(blur)), np.float32) / 255


def lit(height: Array, depth: float) -> Array:
    """Light from the upper left on a relief: what to add to the lightness, around 0."""
    down, right = np.gradient(height)
    return np.asarray(np.clip((down + right) * depth, -0.35, 0.35), np.float32)


def to_image(picture: Array, size: int) -> Image.Image:
    """The finished RGB picture, shrunk to ``size`` from whatever it was drawn at."""
    image = Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
    if image.size == (size, size):
        return image
    return image.resize((size, size), Image.Resampling.LANCZOS)


def to_bytes(colors: Array) -> list[tuple[int, int, int]]:
    """``(n, 3)`` colors as what Pillow draws with."""
    whole = np.clip(colors * 255 + 0.5, 0, 255).astype(np.uint8)
    return [(red, green, blue) for red, green, blue in whole.tolist()]
