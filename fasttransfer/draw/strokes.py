"""Media made of marks: oil, dots of paint, ink hatching, embroidery."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from fasttransfer.draw import canvas
from fasttransfer.draw.canvas import Array, Scalar, luma, mix, noise, recolor, smooth, vary
from fasttransfer.draw.motifs import compose


def oil(size: int, rng: np.random.Generator) -> Image.Image:
    """Thick oil paint in swirling strokes; the ridges left by the bristles catch the light."""
    scene, colors = compose(size, rng, "landscape", "city", "bouquet", "regatta")
    picture, fine, unit = scene.picture, 2 * size, size / 384
    angle = canvas.directions(picture, rng, 0.7)
    paint = Image.new(
        "RGB", (fine, fine), canvas.to_bytes(mix(colors["dark"], colors["warm"], 0.4)[None])[0]
    )
    relief = Image.new("L", (fine, fine), 90)
    pens = ImageDraw.Draw(paint), ImageDraw.Draw(relief)
    for gap, length, width in ((13, 74, 15), (10, 52, 10), (9, 34, 6.5)):
        starts = _marks(size, gap * size / 768, rng)
        tints = vary(_sample(picture, starts), rng, 0.2, 0.18, 0.055)
        paths = _follow(starts, angle, length * size / 768, 7)
        if width < 8:  # the last, thin strokes only sharpen what is busy
            busy = smooth(canvas.edges(scene.labels).astype(np.float32), size / 50)
            keep = _sample(busy, starts) > np.quantile(busy, 0.62)
            tints, paths = tints[keep], paths[keep]
        _brush(pens, 2 * paths, tints, width * unit, rng)
    height = np.asarray(relief.filter(ImageFilter.GaussianBlur(0.5 * unit)), np.float32) / 255
    light = canvas.lit(height, 0.9) + canvas.lit(noise(fine, 3 * unit, rng), 0.02)
    return canvas.to_image(np.asarray(paint, np.float32) / 255 + light[..., None], size)


def _brush(
    pens: tuple[ImageDraw.ImageDraw, ImageDraw.ImageDraw],
    paths: Array,
    tints: Array,
    width: float,
    rng: np.random.Generator,
) -> None:
    """Strokes as the lines of their bristles: the outer ones are shorter, the shades differ."""
    count = max(3, round(width / 3.4))
    offsets = np.linspace(-0.5, 0.5, count)
    along = np.gradient(paths, axis=1)
    across = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    across = across / (np.linalg.norm(across, axis=-1, keepdims=True) + 1e-6)
    lines = paths[:, None] + across[:, None] * (offsets * width)[None, :, None, None]
    hairs = vary(np.repeat(tints[:, None], count, 1), rng, 0.07, 0.08, 0.035)
    heights = rng.normal(150 - 200 * offsets**2, 34, (len(paths), count))
    thick = max(1, round(width / count * 1.5))
    shorter = [int(abs(offset) > 0.3) for offset in offsets]
    fills = canvas.to_bytes(hairs.reshape(-1, 3))
    drawn = lines.reshape(-1, paths.shape[1] * 2).tolist()  # x and y in turn, as Pillow takes them
    relief = np.clip(heights, 20, 250).astype(int).ravel().tolist()
    for k, (line, fill, height) in enumerate(zip(drawn, fills, relief, strict=True)):
        short = 2 * shorter[k % count]
        pens[0].line(line[short : len(line) - short], fill=fill, width=thick)
        pens[1].line(line[short : len(line) - short], fill=height, width=thick)


def points(size: int, rng: np.random.Generator) -> Image.Image:
    """Divided color: round dots of pure paint, with complementary colors strewn among them."""
    scene, colors = compose(size, rng, "regatta", "landscape", "bouquet")
    picture, scale = scene.picture, size / 384
    ground = mix(colors["light"], colors["glow"], 0.35)
    fine = 2 * size
    image = Image.new("RGB", (fine, fine), canvas.to_bytes(ground[None])[0])
    pen = ImageDraw.Draw(image)
    for gap, radius, hue in ((8.5, 7.0, 0.2), (8, 5.4, 0.3), (8, 4.4, 0.42)):
        spots = _marks(size, gap * size / 768, rng)
        tints = recolor(vary(_sample(picture, spots), rng, hue, 0.2, 0.07), 0.0, 1.4, 0.0)
        opposite = rng.uniform(size=len(spots)) < 0.09
        tints[opposite] = recolor(tints[opposite], np.pi, 0.9, 0.06)
        sizes = radius * scale * rng.uniform(0.65, 1.15, (len(spots), 2))
        for (x, y), (wide, high), fill in zip(
            2 * spots, sizes, canvas.to_bytes(tints), strict=True
        ):
            pen.ellipse((x - wide, y - high, x + wide, y + high), fill=fill)
    grain = canvas.lit(noise(fine, 2.5 * scale, rng), 0.05)
    return canvas.to_image(np.asarray(image, np.float32) / 255 + grain[..., None], size)


def hatching(size: int, rng: np.random.Generator) -> Image.Image:
    """Colored inks on cream paper: twice-drawn outlines, crossing layers of hatching, washes."""
    scene, colors = compose(size, rng, "city", "landscape", "bouquet")
    picture, fine, unit = scene.picture, 2 * size, size / 384
    cream = np.array([0.97, 0.93, 0.84], np.float32)
    wet = canvas.warped(picture, rng, 7 * unit / 2, 40 * unit)
    blot = 0.42 + 0.16 * noise(size, 30 * unit, rng) + 0.07 * noise(size, 7 * unit, rng)
    wash = mix(cream, recolor(wet, 0.0, 1.4, 0.2), np.clip(blot, 0, 1))
    image = canvas.to_image(wash, size).resize((fine, fine), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    dark = 1 - luma(picture)
    bounds = np.quantile(dark, [0.04, 0.45, 0.7, 0.88])
    slants = np.radians([38, -34, 82, 8]) + rng.normal(0, 0.08)
    contour = canvas.directions(picture, rng, 0.6)
    for layer, (bound, slant) in enumerate(zip(bounds, slants, strict=True)):
        starts = _marks(size, (10.5, 11, 10, 10)[layer] * size / 768, rng)
        starts = starts[_sample(dark, starts) > bound]
        field = np.full((size, size), slant, np.float32) + 0.2 * noise(size, size / 5, rng)
        field = field if layer else contour  # the first layer follows the form, the others cross it
        ink = recolor(
            vary(_sample(picture, starts), rng, 0.25, 0.15, 0.04), 0.0, 1.5, -0.26 - 0.04 * layer
        )
        paths = 2 * _follow(starts, field, rng.uniform(24, 40) * size / 768, 5)
        for path, fill in zip(paths, canvas.to_bytes(ink), strict=True):
            pen.line(
                path.ravel().tolist(), fill=fill, width=max(1, round(rng.uniform(0.9, 1.7) * unit))
            )
    drawn: Array = np.asarray(image, np.float32) / 255
    for _ in range(2):
        shaky = canvas.resize_labels(canvas.warped(scene.labels, rng, 2.2 * unit, 26 * unit), fine)
        pressure = 0.75 + 0.5 * noise(fine, 50 * unit, rng)
        weight = np.clip(canvas.outline(shaky, 0.6 * unit) * 2.3 * pressure, 0, 1)
        drawn = mix(drawn, mix(colors["dark"], colors["far"], 0.2), weight)
    return canvas.to_image(drawn + 0.02 * noise(fine, 2.5 * unit, rng)[..., None], size)


def embroidery(size: int, rng: np.random.Generator) -> Image.Image:
    """Satin stitches of shiny thread, every shape stitched in a direction of its own."""
    scene, colors = compose(size, rng, "pond", "bouquet", "landscape")
    fine, unit = 2 * size, size / 384
    labels, picture = scene.labels, scene.picture
    lean = rng.uniform(0, np.pi, len(scene.colors))[labels]
    angle = (lean + 0.45 * noise(size, size / 6, rng)).astype(np.float32)
    weave = 0.05 * np.sign(noise(fine, 3 * unit, rng, 3))[..., None]
    ground = canvas.to_image(mix(colors["dark"], colors["near"], 0.4) + weave, fine)
    pen = ImageDraw.Draw(ground)
    starts = np.concatenate([_marks(size, gap * size / 768, rng) for gap in (6.6, 6.4)])
    length = rng.uniform(22, 34, len(starts)) * size / 768
    tints = vary(_sample(picture, starts), rng, 0.11, 0.12, 0.045)
    lean_at = _sample(angle, starts)
    half = np.stack([np.cos(lean_at), np.sin(lean_at)], axis=1) * length[:, None] / 2
    tips = [np.clip(starts + side * half, 0, size - 1) for side in (-1, 1)]
    # A stitch stays inside its own shape: a tip that left it is pulled in toward the middle.
    home = _sample(labels, starts)
    tips = [
        np.where((_sample(labels, tip) == home)[:, None], tip, 0.65 * starts + 0.35 * tip)
        for tip in tips
    ]
    bands = (
        (0.0, 1.0, 6.2, -0.34),
        (0.02, 0.98, 4.4, -0.02),
        (0.12, 0.88, 2.6, 0.08),
        (0.3, 0.66, 1.1, 0.22),
    )
    threads = [canvas.to_bytes(recolor(tints, 0.0, 1.15, light)) for *_, light in bands]
    tail, along = 2 * tips[0], 2 * (tips[1] - tips[0])
    ends = [np.concatenate([tail + along * a, tail + along * b], axis=1) for a, b, *_ in bands]
    lines = [end.tolist() for end in ends]
    widths = [max(1, round(width * unit / 2)) for _, _, width, _ in bands]
    for k in range(len(starts)):  # stitch by stitch, as a later one lies on those before it
        for line, fill, width in zip(lines, threads, widths, strict=True):
            pen.line(line[k], fill=fill[k], width=width)
    return canvas.to_image(np.asarray(ground, np.float32) / 255, size)


def _marks(size: int, gap: float, rng: np.random.Generator) -> Array:
    """Where marks begin: points ``(n, 2)`` as x and y, ``gap`` apart on average, in no order."""
    count = max(2, round(size / gap))
    cells = np.mgrid[:count, :count].reshape(2, -1).T
    shaken = (cells + rng.uniform(0, 1, cells.shape)) * size / count
    return rng.permutation(shaken).astype(np.float32)


def _sample(plane: NDArray[Scalar], points: Array) -> NDArray[Scalar]:
    """What ``plane`` shows at every ``(x, y)``; points outside read the border."""
    columns, rows = np.clip(points.astype(np.int32), 0, plane.shape[0] - 1).T
    return np.asarray(plane[rows, columns])


def _follow(starts: Array, angle: Array, length: float, steps: int) -> Array:
    """Paths ``(n, steps, 2)`` that run along the directions, ``starts`` in their middle."""
    halves = []
    for sign in (-1.0, 1.0):
        here, path = starts, []
        heading = np.zeros_like(starts)
        for _ in range(steps // 2):
            turn = _sample(angle, here)
            step = np.stack([np.cos(turn), np.sin(turn)], axis=1)
            # A direction has no head: keep going the way the stroke came.
            ahead = np.sum(step * heading, axis=1, keepdims=True)
            heading = step * np.where(ahead == 0, sign, np.sign(ahead))
            here = here + heading * np.float32(length / (steps - 1))
            path.append(here)
        halves.append(path)
    return np.stack([*halves[0][::-1], starts, *halves[1]], axis=1).astype(np.float32)
