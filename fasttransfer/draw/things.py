"""The things that scenes are made of: sky, river, trees, houses, boats, flowers, fish."""

from __future__ import annotations

import numpy as np

from fasttransfer.draw.canvas import Array, Palette, mix
from fasttransfer.draw.scene import Scene, ridge


def sky(scene: Scene, colors: Palette, low: float) -> None:
    """Wavy bands from the top down to ``low``, a sun with its halo, and a few clouds."""
    rng = scene.rng
    bands = int(rng.integers(5, 8))
    for band in range(bands):
        share = band / (bands - 1)
        scene.below(
            ridge(rng, low * share - 0.05, 0.018, 1.5), mix(colors["sky"], colors["glow"], share)
        )
    x, y, radius = rng.uniform(0.2, 0.8), low * rng.uniform(0.35, 0.6), rng.uniform(0.07, 0.1)
    for ring, role in ((2.1, "glow"), (1.6, "bright"), (1.25, "light"), (1.0, "sun")):
        scene.disc(x, y, radius * ring, mix(colors[role], colors["sun"], 0.35))
    for _ in range(int(rng.integers(3, 6))):
        x, y, width = rng.uniform(0, 1), rng.uniform(0.06, low * 0.75), rng.uniform(0.03, 0.055)
        for puff in range(4):
            tint = mix(
                colors["light"], colors["glow" if puff % 2 else "sky"], rng.uniform(0.1, 0.45)
            )
            scene.disc(
                x + (puff - 1.5) * width,
                y + rng.normal(0, 0.008),
                width * rng.uniform(0.7, 1.2),
                tint,
                0.6,
            )


def river(scene: Scene, colors: Palette, horizon: float) -> None:
    """A bright-rimmed river that winds from the horizon to the lower edge."""
    bend, mouth = scene.rng.uniform(0.25, 0.75), scene.rng.uniform(0.3, 0.7)
    depth = np.linspace(0, 1, 30)
    center = mouth + (bend - mouth) * np.sin(depth * np.pi * 1.5) * (0.3 + depth)
    down = horizon + 0.1 + depth * 0.52
    for inset, role in ((0.0, "light"), (0.012, "water"), (0.05, "sky"), (0.09, "water")):
        half = np.maximum(0.012 + 0.16 * depth**1.6 - inset * (0.3 + depth), 0)
        left = list(zip(center - half, down, strict=True))
        right = list(zip(center + half, down, strict=True))
        scene.polygon(left + right[::-1], colors[role])


def tree(scene: Scene, colors: Palette, x: float, foot: float, height: float) -> None:
    """A trunk under a crown of leaf clumps, lighter toward the top left."""
    rng = scene.rng
    lean = rng.normal(0, 0.1) * height
    trunk = mix(colors["dark"], colors["warm"], 0.25)
    scene.polygon(
        [(x - height * 0.05, foot), (x + lean, foot - height * 0.6), (x + height * 0.05, foot)],
        trunk,
    )
    crown = mix(
        colors["near"], colors[str(rng.choice(["mid", "bright", "warm"]))], rng.uniform(0.1, 0.7)
    )
    for clump in range(9):
        up = clump / 8
        angle = rng.uniform(0, 2 * np.pi)
        spread = 0.22 * height * (1.1 - 0.6 * up)
        tint = mix(mix(crown, colors["dark"], 0.35), mix(crown, colors["sun"], 0.45), up)
        scene.disc(
            x + lean + spread * np.cos(angle) - 0.05 * height * up,
            foot - height * (0.5 + 0.4 * up) + 0.3 * spread * np.sin(angle),
            height * rng.uniform(0.13, 0.2),
            tint,
        )


def house(scene: Scene, colors: Palette, x: float, foot: float, width: float) -> None:
    """A gabled house with a lit and a shaded wall, a door and windows."""
    height, roof = width * 0.8, width * 0.55
    wall = mix(colors["light"], colors["bright"], scene.rng.uniform(0, 0.5))
    tiles = mix(colors["warm"], colors["dark"], scene.rng.uniform(0, 0.25))
    top, right = foot - height, x + width * 1.9
    scene.polygon(
        [(x, foot), (x, top), (x + width / 2, top - roof), (x + width, top), (x + width, foot)],
        wall,
    )
    side = mix(wall, colors["far"], 0.45)
    scene.polygon([(x + width, foot), (x + width, top), (right, top), (right, foot)], side)
    scene.polygon(
        [
            (x + width / 2, top - roof),
            (x + width * 1.04, top),
            (right, top),
            (right - width / 2, top - roof),
        ],
        tiles,
    )
    for left, wide in ((0.38, 0.24), (1.2, 0.18), (1.55, 0.18)):
        bottom = foot if left < 1 else foot - height * 0.3
        box = [(x + width * left, bottom), (x + width * left, bottom - height * 0.45)]
        box += [
            (x + width * (left + wide), bottom - height * 0.45),
            (x + width * (left + wide), bottom),
        ]
        scene.polygon(box, mix(colors["dark"], colors["bright"], 0.1 if left < 1 else 0.6))


def tower(
    scene: Scene, colors: Palette, box: tuple[float, float, float, float], front: Array
) -> None:
    """A tower with a shaded side and lit windows; ``box`` is its left edge, width, top and foot."""
    rng = scene.rng
    x, wide, top, shore = box
    tip = [(x + wide / 2, top - wide * rng.choice([0, 0.5, 1.1]))]
    scene.polygon([(x, shore), (x, top), *tip, (x + wide, top), (x + wide, shore)], front)
    shaded = [
        (x + wide * 0.68, shore),
        (x + wide * 0.68, top),
        (x + wide, top),
        (x + wide, shore),
    ]
    scene.polygon(shaded, mix(front, colors["dark"], 0.35))
    for y in np.arange(top + 0.025, shore - 0.03, 0.042):
        for column in np.arange(x + 0.012, x + wide - 0.02, 0.03):
            lamp = mix(colors["sun"], colors["dark"], float(rng.choice([0.0, 0.1, 0.7, 0.85])))
            pane = [
                (column, y),
                (column + 0.015, y),
                (column + 0.015, y + 0.024),
                (column, y + 0.024),
            ]
            scene.polygon(pane, lamp)


def boat(scene: Scene, colors: Palette, x: float, foot: float, tall: float) -> None:
    """A sailing boat: striped main sail, jib, hull, and the sail's reflection below."""
    rng = scene.rng
    sail = colors[str(rng.choice(["light", "bright", "warm"]))]
    jib = colors[str(rng.choice(["light", "sun"]))]
    for stripe in range(4):  # the main sail is sewn of four strips
        low, high = foot - tall * (0.06 + stripe * 0.22), foot - tall * (0.28 + stripe * 0.22)
        wide, narrow = tall * 0.36 * (1 - stripe / 4), tall * 0.36 * (0.75 - stripe / 4)
        tint = mix(sail, colors["warm" if stripe % 2 else "light"], 0.3)
        scene.polygon([(x, low), (x, high), (x + narrow, high), (x + wide, low)], tint)
    mast, low = x - 0.02 * tall, foot - tall * 0.08
    scene.polygon([(mast, low), (mast, foot - tall * 0.8), (x - tall * 0.3, low)], jib)
    deck, keel = foot - tall * 0.05, foot + tall * 0.08
    hull = [(x - tall * 0.36, deck), (x + tall * 0.44, deck)]
    hull += [(x + tall * 0.3, keel), (x - tall * 0.24, keel)]
    scene.polygon(hull, mix(colors["warm"], colors["dark"], rng.uniform(0, 0.6)))
    for wave in range(3):
        tint = mix(sail, colors["water"], 0.4 + 0.2 * wave)
        down = foot + tall * (0.14 + 0.09 * wave)
        scene.disc(x + rng.normal(0, 0.02), down, tall * (0.28 - 0.06 * wave), tint, 0.11)


def flower(scene: Scene, colors: Palette, x: float, y: float, radius: float) -> None:
    """Two or three rings of petals around a dotted heart."""
    rng = scene.rng
    petal = colors[str(rng.choice(["warm", "bright", "sun", "far", "light", "glow"]))]
    other = colors[str(rng.choice(["warm", "bright", "far", "sky"]))]
    count = int(rng.integers(7, 12))
    start = rng.uniform(0, 2 * np.pi)
    for ring in (1.0, 0.68, 0.4) if radius > 0.07 else (1.0, 0.6):
        tint = mix(mix(petal, colors["dark"], 0.22 * ring), other, 0.6 * (1 - ring))
        for k in range(count):
            angle = start + (k + 0.5 * (ring < 0.9)) * 2 * np.pi / count
            reach, wide = radius * ring, 2.6 / count
            shape = [
                (0.15, 0.0),
                (0.55, -wide / 2),
                (0.85, -wide / 2.4),
                (1.0, 0.0),
                (0.85, wide / 2.4),
                (0.55, wide / 2),
            ]
            points = [
                (x + reach * r * np.cos(angle + a), y + reach * r * np.sin(angle + a))
                for r, a in shape
            ]
            scene.polygon(points, mix(tint, colors["light"], rng.uniform(0, 0.3)))
    scene.disc(x, y, radius * 0.24, mix(colors["dark"], colors["warm"], 0.4))
    scene.disc(x, y, radius * 0.14, colors["sun"])


def leaf(
    scene: Scene, color: Array, shade: Array, x: float, y: float, length: float, angle: float
) -> None:
    """A pointed leaf in two halves, one lit and one in shade."""
    along, across = (
        np.array([np.cos(angle), np.sin(angle)]),
        np.array([-np.sin(angle), np.cos(angle)]),
    )
    t = np.linspace(0, 1, 9)
    for side, tint in ((1, color), (-1, shade)):
        curve = np.outer(t, along) * length + np.outer(
            np.sin(np.pi * t) * side * 0.2 * length, across
        )
        scene.polygon([(x + dx, y + dy) for dx, dy in curve.tolist()], tint)


def table(scene: Scene, colors: Palette) -> None:
    """A checkered cloth with a vase and four fruits on it."""
    rng = scene.rng
    top = rng.uniform(0.74, 0.8)
    scene.below(ridge(rng, top, 0.004, 1), colors["light"])
    for row in range(4):
        for column in range(-2, 12):
            y, slant = top + 0.012 + row * 0.075, 0.02 * row
            x = (column + row % 2 * 0.5) * 0.11 - slant
            square = [(x, y), (x + 0.058, y), (x + 0.052, y + 0.065), (x - 0.006, y + 0.065)]
            scene.polygon(square, mix(colors["warm"], colors["far"], rng.uniform(0, 0.5)))
    vase = mix(colors["water"], colors["dark"], 0.2)
    t = np.linspace(0, 1, 14)
    half = 0.075 + 0.075 * np.sin(np.pi * t**0.8)
    for left, right, tint in (
        (-1.0, 1.0, mix(vase, colors["dark"], 0.5)),
        (-0.9, 0.65, vase),
        (-0.7, -0.3, colors["light"]),
    ):
        sides = [
            list(zip(0.5 + half * side, 0.56 + t * 0.34, strict=True)) for side in (left, right)
        ]
        scene.polygon(sides[0] + sides[1][::-1], mix(tint, vase, 0.4))
    for x, radius, role in (
        (0.13, 0.085, "warm"),
        (0.26, 0.07, "bright"),
        (0.77, 0.08, "sun"),
        (0.89, 0.075, "warm"),
    ):
        y = rng.uniform(0.84, 0.9)
        for offset, size, share in ((0.0, 1.0, 0.4), (0.14, 0.82, 0.0), (0.32, 0.5, -0.4)):
            target = colors["dark"] if share > 0 else colors["light"]
            tint = mix(colors[role], target, abs(share))
            scene.disc(x - offset * radius, y - offset * radius, radius * size, tint)


def fish(scene: Scene, colors: Palette, x: float, y: float, length: float, angle: float) -> None:
    """A bent carp seen from above: tail, fins, body, and patches in a second color."""
    rng = scene.rng
    bend = rng.normal(0, 0.5)
    t = np.linspace(0, 1, 26)
    turn = angle + bend * t
    spine_x = x + np.cumsum(np.cos(turn)) * length / 26
    spine_y = y + np.cumsum(np.sin(turn)) * length / 26
    base, patch = (
        colors[str(rng.choice(["light", "bright", "warm"]))],
        colors[str(rng.choice(["warm", "sun", "dark"]))],
    )

    def ribbon(start: int, stop: int, half: Array, tint: Array) -> None:
        cut = slice(start, stop)
        left = zip(
            spine_x[cut] - np.sin(turn[cut]) * half,
            spine_y[cut] + np.cos(turn[cut]) * half,
            strict=True,
        )
        right = zip(
            spine_x[cut] + np.sin(turn[cut]) * half,
            spine_y[cut] - np.cos(turn[cut]) * half,
            strict=True,
        )
        scene.polygon(list(left) + list(right)[::-1], tint)

    body = (
        length
        * 0.13
        * np.sin(np.pi * np.clip(0.12 + 0.88 * t, 0, 1)) ** 0.7
        * (1.15 - 0.6 * (1 - t))
    )
    ribbon(0, 7, np.linspace(0.13, 0.01, 7) * length, mix(base, colors["glow"], 0.4))
    ribbon(15, 19, np.linspace(0.24, 0.1, 4) * length, mix(base, colors["glow"], 0.4))
    ribbon(4, 26, body[4:] * 1.12, mix(base, colors["dark"], 0.55))
    ribbon(5, 26, body[5:], base)
    for start in (7, 12, 18, 22):
        ribbon(
            start,
            start + 3,
            body[start : start + 3] * rng.uniform(0.5, 0.95),
            mix(patch, base, rng.uniform(0, 0.3)),
        )
    ribbon(6, 25, body[6:25] * 0.15, mix(base, colors["light"], 0.7))
