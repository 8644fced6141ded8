"""Media that cover whole sheets: papers cut out, a woodcut print, watercolor."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from fasttransfer.draw import canvas
from fasttransfer.draw.canvas import Array, Labels, luma, mix, noise, recolor, smooth
from fasttransfer.draw.motifs import compose


def paper(size: int, rng: np.random.Generator) -> Image.Image:
    """A collage of printed papers, every shape cut from a sheet of its own and casting a shadow."""
    scene, colors = compose(2 * size, rng, "landscape", "bouquet", "pond")
    fine, unit = 2 * size, size / 384
    labels = canvas.warped(scene.labels, rng, 2.5 * unit, 22 * unit)
    count = len(scene.colors)
    base = scene.colors
    roles = np.stack([colors[name] for name in ("light", "sun", "dark", "bright", "sky", "warm")])
    ink = mix(base, roles[rng.integers(len(roles), size=count)], 0.55)
    print_ = _prints(labels, rng, count, unit)
    sheet = mix(base[labels], ink[labels], print_)
    fibers = (
        0.5 * noise(fine, 1.5 * unit, rng, 9)
        + 0.5 * noise(fine, 9 * unit, rng, 0.15)
        + noise(fine, 2.5 * unit, rng)
    )
    sheet = sheet + 0.028 * fibers[..., None]
    shadow = np.zeros(labels.shape, np.float32)
    reach = max(2, round(5 * unit))
    for step in range(
        1, reach + 1
    ):  # light from the upper left: what lies higher darkens its lower right
        shadow[step:, step:] = np.maximum(
            shadow[step:, step:],
            (labels[:-step, :-step] > labels[step:, step:]) * (1 - step / (reach + 1)),
        )
    lower = labels[1:, 1:] < labels[:-1, :-1]
    rim = np.zeros_like(shadow)
    rim[:-1, :-1] = lower
    sheet = sheet + 0.22 * rim[..., None]
    return canvas.to_image(sheet * (1 - 0.5 * smooth(shadow, 1.5))[..., None], size)


def _prints(labels: Labels, rng: np.random.Generator, count: int, unit: float) -> Array:
    """How much ink every pixel carries: dots, stripes, scales, checks, crosses or waves."""
    angle, pitch = rng.uniform(0, np.pi, count)[labels], (rng.uniform(9, 19, count) * unit)[labels]
    kind = rng.integers(6, size=count)[labels]
    rows, columns = np.mgrid[: labels.shape[0], : labels.shape[1]].astype(np.float32)
    u = (np.cos(angle) * columns + np.sin(angle) * rows) / pitch
    v = (np.cos(angle) * rows - np.sin(angle) * columns) / pitch
    row = np.floor(v)
    shifted = u + 0.5 * (row % 2)
    dx, dy = shifted - np.floor(shifted) - 0.5, v - row - 0.5
    dots = 0.33 - np.hypot(dx, dy)
    stripes = 0.22 - np.abs(v - np.floor(v) - 0.5)
    rings = np.hypot(dx, dy + 0.5)
    scales = 0.12 - np.abs((rings * 3.2) % 1 - 0.5) * 0.55
    checks = (dx * dy) * 2
    crosses = (
        np.maximum(0.09 - np.abs(dx), 0.09 - np.abs(dy)) + 0.3 * (np.hypot(dx, dy) > 0.36) * -1
    )
    waves = 0.17 - np.abs((v + 0.22 * np.sin(2 * np.pi * u)) % 1 - 0.5)
    chosen = np.choose(kind, [dots, stripes, scales, checks, crosses, waves])
    return np.clip(chosen * pitch / unit / 1.2 + 0.5, 0, 1).astype(np.float32)


def woodcut(size: int, rng: np.random.Generator) -> Image.Image:
    """A print from several blocks: colors out of register under a key block cut with a gouge."""
    scene, colors = compose(2 * size, rng, "landscape", "regatta", "pond")
    fine, unit = 2 * size, size / 384
    labels = canvas.warped(scene.labels, rng, 3 * unit, 30 * unit)
    shift = np.roll(labels, tuple(rng.integers(-2, 3, 2) * round(unit)), (0, 1))
    flat = recolor(scene.colors, 0.0, 1.35, 0.05)[shift]
    grain = noise(fine, 2.6 * unit, rng, 34) * 0.6 + noise(fine, 1.6 * unit, rng, 2) * 0.5
    blocks = flat + 0.055 * grain[..., None]
    count = len(scene.colors)
    turn = rng.normal(0, 0.5, count)[labels] + 0.5 * noise(fine, 120 * unit, rng)
    rows, columns = np.mgrid[:fine, :fine].astype(np.float32)
    phase = (np.cos(turn) * rows + np.sin(turn) * columns) / (
        (8.5 + 4 * rng.uniform(size=count))[labels] * unit
    )
    phase = phase + 0.9 * noise(fine, 60 * unit, rng) + 0.35 * noise(fine, 16 * unit, rng)
    ridge = np.abs(phase % 1 - 0.5) * 2
    tone = luma(flat)
    # A gouge starts and ends in a point: the cut's width also swells and fades along its way.
    swell = 0.26 * noise(fine, 9 * unit, rng, 3) + 0.14 * noise(fine, 34 * unit, rng)
    key = np.clip((ridge - 0.34 - 0.6 * tone + swell) * 5 * unit, 0, 1)
    edge = canvas.outline(labels, 0.6 * unit, 1.2 * unit) * 1.275
    outline = np.clip(edge + 0.25 * noise(fine, 14 * unit, rng) - 0.1, 0, 1)
    worn = np.clip(0.93 + 0.13 * grain, 0, 1)
    ink = mix(colors["dark"], np.array([0.05, 0.04, 0.07], np.float32), 0.5)
    return canvas.to_image(mix(blocks, ink, np.maximum(key, outline) * worn), size)


def watercolor(size: int, rng: np.random.Generator) -> Image.Image:
    """Washes on rough paper: dark wet edges, blooms, granulation, spatter and a loose ink line."""
    scene, colors = compose(size, rng, "bouquet", "regatta", "city")
    picture, unit = scene.picture, size / 768
    layers = np.ones_like(picture)
    for amount, strength in ((10.0, 0.55), (5.0, 0.6)):
        wet = canvas.warped(scene.labels, rng, amount * unit, 34 * unit)
        pigment = -np.log(np.clip(recolor(scene.colors, 0.0, 1.5, 0.05), 0.03, 1))[wet]
        border = canvas.edges(wet).astype(np.float32)
        rim = np.clip(smooth(border, 3.5 * unit) * 5, 0, 1) - 0.5 * np.clip(
            smooth(border, 14 * unit) * 4, 0, 1
        )
        bloom = np.abs(noise(size, 44 * unit, rng) + 0.4 * noise(size, 15 * unit, rng))
        backrun = np.exp(
            -((bloom - 0.22) ** 2) / 0.002
        )  # a dark ring where water crept back into the wash
        grain = noise(size, 3.2 * unit, rng) * 0.5 + noise(size, 1.6 * unit, rng) * 0.5
        density = 0.6 + 0.75 * bloom + 0.55 * rim + 0.4 * backrun + 0.34 * grain
        tint = pigment * np.clip(density, 0.06, 2)[..., None] * strength
        layers = layers * np.exp(-tint)
    drift = 0.25 * noise(size, 60 * unit, rng) + 0.2 * noise(size, 20 * unit, rng)
    image = recolor(layers.astype(np.float32), drift, 1.1, 0.0)
    drops = Image.new("L", (2 * size, 2 * size))
    pen = ImageDraw.Draw(drops)
    for x, y in rng.uniform(0, 2 * size, (420, 2)):
        radius = 2 * unit * rng.gamma(1.6, 1.3)
        pen.ellipse(
            (x - radius, y - radius, x + radius, y + radius), fill=int(rng.integers(70, 190))
        )
    spatter = np.asarray(drops.resize((size, size), Image.Resampling.LANCZOS), np.float32) / 255
    spot = np.stack([colors[name] for name in ("warm", "water", "bright", "far")])
    kind = np.clip(((noise(size, 150 * unit, rng) + 1) * 2).astype(int), 0, 3)
    image = image * (1 - spatter[..., None] * (1 - spot[kind]))
    line = canvas.outline(canvas.warped(scene.labels, rng, 4 * unit, 45 * unit), 0.7 * unit)
    weight = line * 1.7 * np.clip(0.35 + 0.9 * noise(size, 40 * unit, rng), 0, 1)
    image = mix(image, mix(colors["dark"], colors["far"], 0.25), np.clip(weight, 0, 0.9))
    tooth = canvas.lit(noise(size, 2.6 * unit, rng), 0.035)
    return canvas.to_image(image + tooth[..., None], size)
