"""Whole scenes for the media to render: each motif paints a composition into an empty ``Scene``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fasttransfer.draw.canvas import Palette, choose_palette, mix
from fasttransfer.draw.scene import Scene, ridge
from fasttransfer.draw.things import (
    boat,
    fish,
    flower,
    house,
    leaf,
    river,
    sky,
    table,
    tower,
    tree,
)


def landscape(scene: Scene, colors: Palette) -> None:
    """Hills and a winding river under a low sun, with fields, a few houses and trees."""
    rng = scene.rng
    horizon = rng.uniform(0.4, 0.48)
    sky(scene, colors, horizon)
    for role, drop, swing in (("far", -0.06, 0.05), ("mid", 0.0, 0.035), ("near", 0.06, 0.03)):
        line = ridge(rng, horizon + drop, swing, rng.uniform(1, 1.8))
        for stripe in range(3):
            tint = mix(
                colors[role], colors[("glow", "bright", "sky")[stripe]], 0.12 + 0.16 * stripe
            )
            scene.below(line + stripe * 0.03, tint)
    fields = ("bright", "mid", "warm", "near", "sun", "mid", "near")
    for row, role in enumerate(fields):
        line = ridge(rng, horizon + 0.13 + 0.065 * row, 0.02, 1.2)
        scene.below(line, mix(colors[role], colors["near"], rng.uniform(0.15, 0.55)))
    river(scene, colors, horizon)
    for x in rng.uniform(0.02, 0.8, 3):
        house(scene, colors, x, horizon + rng.uniform(0.12, 0.2), rng.uniform(0.045, 0.065))
    for x in np.sort(rng.uniform(0, 1, 9)):
        tree(scene, colors, x, horizon + rng.uniform(0.1, 0.3), rng.uniform(0.12, 0.2))
    for x in (rng.uniform(-0.02, 0.12), rng.uniform(0.88, 1.02)):
        tree(scene, colors, x, rng.uniform(0.93, 1.0), rng.uniform(0.42, 0.58))


def regatta(scene: Scene, colors: Palette) -> None:
    """Sailing boats on rolling water, a town on the far shore."""
    rng = scene.rng
    horizon = rng.uniform(0.36, 0.42)
    sky(scene, colors, horizon)
    scene.below(ridge(rng, horizon - 0.05, 0.03, 2), colors["far"])
    for x in np.arange(0.0, 0.95, 0.11) + rng.uniform(0, 0.04, 9):
        house(scene, colors, x, horizon + 0.01, rng.uniform(0.03, 0.048))
    blend = ("water", "sky", "water", "mid", "glow", "water", "near", "sky", "water", "near")
    for row in range(14):
        tint = mix(colors["water"], colors[blend[row % len(blend)]], rng.uniform(0.35, 0.85))
        scene.below(ridge(rng, horizon + 0.0035 * row**2 + 0.005, 0.004 + 0.0014 * row, 3), tint)
    places = zip(
        rng.permutation(5) * 0.2 + rng.uniform(0.02, 0.12, 5),
        np.linspace(0.05, 0.48, 5),
        strict=True,
    )
    for x, depth in places:
        boat(scene, colors, x, horizon + depth, 0.13 + depth * 0.75)


def bouquet(scene: Scene, colors: Palette) -> None:
    """A vase of big flowers and leaves on a checkered table, with fruit, before a papered wall."""
    rng = scene.rng
    for stripe in range(11):
        tint = mix(
            colors["sky"], colors[("far", "glow", "water")[stripe % 3]], rng.uniform(0.15, 0.55)
        )
        left = stripe / 11 + rng.normal(0, 0.008)
        scene.polygon([(left, 0), (1, 0), (1, 1), (left, 1)], tint)
    table(scene, colors)
    for _ in range(26):
        angle = rng.uniform(-np.pi * 1.15, np.pi * 0.15)
        green = mix(colors["near"], colors[str(rng.choice(["mid", "bright"]))], rng.uniform(0, 0.7))
        shade = mix(green, colors["dark"], 0.4)
        reach = rng.uniform(0.05, 0.26)
        start = (0.5 + reach * np.cos(angle), 0.45 + reach * np.sin(angle))
        leaf(scene, green, shade, *start, rng.uniform(0.12, 0.22), angle + rng.normal(0, 0.4))
    for k in range(16):  # the golden angle spreads them evenly without rows
        angle, reach = k * 2.39996, 0.34 * np.sqrt((15.5 - k) / 16)
        x, y = 0.5 + reach * np.cos(angle) * 1.15, 0.36 + reach * np.sin(angle) * 0.88
        flower(scene, colors, x + rng.normal(0, 0.01), y, rng.uniform(0.065, 0.125))


def city(scene: Scene, colors: Palette) -> None:
    """Towers with lit windows along a river that mirrors them."""
    rng = scene.rng
    shore = rng.uniform(0.66, 0.72)
    sky(scene, colors, shore)
    fronts = ("far", "sky", "warm", "mid", "bright", "water", "near", "glow")
    for layer in range(3):
        x = -0.04
        while x < 1:
            wide = rng.uniform(0.07, 0.13)
            top = shore - rng.uniform(0.18, 0.5) * (1 - 0.24 * layer)
            front = mix(
                colors[fronts[rng.integers(8)]], colors[("glow", "far", "dark")[layer]], 0.35
            )
            tower(scene, colors, (x, wide, top, shore), front)
            x += wide * rng.uniform(0.9, 1.15)
    for row in range(9):
        tint = mix(
            colors["water"],
            colors[("sky", "dark", "water", "far")[row % 4]],
            rng.uniform(0.2, 0.7),
        )
        scene.below(ridge(rng, shore + row * 0.036, 0.004 + row * 0.001, 3), tint)
    for _ in range(60):
        role = str(rng.choice(["sun", "bright", "warm", "glow", "light"]))
        glint = mix(colors[role], colors["water"], rng.uniform(0, 0.4))
        scene.disc(
            rng.uniform(0, 1), rng.uniform(shore + 0.02, 1), rng.uniform(0.015, 0.05), glint, 0.2
        )


def pond(scene: Scene, colors: Palette) -> None:
    """Gold carp between water lilies, seen from above."""
    rng = scene.rng
    scene.below(np.zeros(8, np.float32), colors["water"])
    for _ in range(90):
        role = str(rng.choice(["water", "sky", "mid", "near", "far", "glow"]))
        tint = mix(colors["water"], colors[role], rng.uniform(0.2, 0.7))
        scene.disc(rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.05, 0.13), tint, 0.35)
    for k in range(7):
        x, y = (k % 2) * 0.5 + rng.uniform(0.12, 0.38), (k // 2) * 0.26 + rng.uniform(0.06, 0.2)
        fish(scene, colors, x, y, rng.uniform(0.3, 0.42), rng.uniform(0, 2 * np.pi))
    for x, y in rng.uniform(0, 1, (15, 2)):
        radius, notch = rng.uniform(0.05, 0.1), rng.uniform(0, 2 * np.pi)
        green = mix(
            colors["near"],
            colors[str(rng.choice(["mid", "bright", "near"]))],
            rng.uniform(0.1, 0.6),
        )
        for size, tint in (
            (1.0, mix(green, colors["dark"], 0.4)),
            (0.9, green),
            (0.5, mix(green, colors["sun"], 0.3)),
        ):
            angles = np.linspace(notch + 0.25, notch + 2 * np.pi - 0.25, 24)
            pad = [(x + radius * size * np.cos(a), y + radius * size * np.sin(a)) for a in angles]
            scene.polygon([(x, y), *pad], tint)
        if rng.uniform() < 0.6:
            flower(scene, colors, x, y, radius * 0.75)


MOTIFS: dict[str, Callable[[Scene, Palette], None]] = {
    "landscape": landscape,
    "regatta": regatta,
    "bouquet": bouquet,
    "city": city,
    "pond": pond,
}


def compose(size: int, rng: np.random.Generator, *motifs: str) -> tuple[Scene, Palette]:
    """One of the named motifs in a palette of its own, painted at ``size`` pixels."""
    colors = choose_palette(rng)
    scene = Scene(size, rng)
    MOTIFS[motifs[int(rng.integers(len(motifs)))]](scene, colors)
    return scene, colors
