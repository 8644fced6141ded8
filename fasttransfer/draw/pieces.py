"""Media made of pieces laid side by side: mosaic, stained glass, facets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from fasttransfer.draw import canvas
from fasttransfer.draw.canvas import Array, Labels, mix, noise, recolor, smooth, vary
from fasttransfer.draw.motifs import compose


def mosaic(size: int, rng: np.random.Generator) -> Image.Image:
    """Hand-cut stone and glass tesserae set along the contours, in dark grout."""
    scene, colors = compose(size, rng, "pond", "bouquet", "landscape")
    picture = scene.picture
    tile = size / 768 * 17
    angle = canvas.directions(picture, rng, 0.3)
    sites = _scattered(size, tile, rng)
    for _ in range(4):  # each tessera moves to the middle of what it covers, which makes them fit
        owner, _, _ = _nearest(size, sites, tile * 1.5, angle)
        sites = _centers(owner, sites)
    fine, scale = 2 * size, 2.0
    owner, first, second = _nearest(
        fine, sites * scale, tile * scale * 1.3, canvas.resize(angle, fine)
    )
    rows, columns = np.clip(sites.astype(int), 0, size - 1).T
    stone = vary(picture[rows, columns], rng, 0.16, 0.22, 0.05)
    gap = tile * scale
    cut = np.clip((gap * 0.64 - first) / 1.5, 0, 1) * np.clip(
        (second - first - gap * 0.09) / 1.5, 0, 1
    )
    relief = np.minimum(np.minimum(second - first, gap * 0.4), gap * 0.64 - first)
    glaze = stone[owner] + (canvas.lit(relief, 0.045) + 0.03 * noise(fine, 5, rng))[..., None]
    grout = mix(colors["dark"], colors["light"], 0.12) + 0.05 * noise(fine, 4, rng)[..., None]
    return canvas.to_image(mix(grout, glaze, cut), size)


def stained_glass(size: int, rng: np.random.Generator) -> Image.Image:
    """Glowing panes of streaky glass in lead cames that follow the drawing."""
    scene, _ = compose(2 * size, rng, "regatta", "landscape", "pond")
    fine, unit = 2 * size, size / 384
    labels = canvas.warped(scene.labels, rng, 4 * unit, 60 * unit)
    sites = _scattered(fine, 50 * unit, rng)
    owner, _, _ = _nearest(fine, sites, 95 * unit, None, labels)
    rows, columns = np.clip(sites.astype(int), 0, fine - 1).T
    panes = recolor(vary(scene.colors[labels[rows, columns]], rng, 0.16, 0.1, 0.04), 0.0, 1.5, 0.02)
    came = np.clip(canvas.outline(owner, unit, 1.7 * unit) * 2 - 0.5, 0, 1)
    streaks = (
        noise(fine, 6 * unit, rng, 5)
        + 0.8 * noise(fine, 22 * unit, rng, 0.4)
        + 0.5 * noise(fine, 3 * unit, rng)
    )
    shade = smooth(came, 9 * unit)
    glass = recolor(panes[owner], 0.10 * streaks, 1.0, 0.07 * streaks + 0.13 - 0.42 * shade)
    core = canvas.outline(owner, 2 * unit, 1.7 * unit)
    metal = (
        np.array([0.10, 0.10, 0.13], np.float32)
        + (canvas.lit(core, 1.4) + 0.02 * streaks)[..., None]
    )
    return canvas.to_image(mix(glass, metal, came), size)


def facets(size: int, rng: np.random.Generator) -> Image.Image:
    """A cubist picture: planes broken by straight cuts, each shaded from one edge to the other."""
    scene, colors = compose(size, rng, "city", "bouquet", "regatta")
    picture, fine = scene.picture, 2 * size
    cuts = rng.uniform(0, np.pi) + np.array([0.0, 1.0, 2.0])
    shards = _shards(picture, cuts, rng)
    lean = rng.choice(cuts, len(shards)) + rng.normal(0, 0.2, len(shards))
    plan = Image.new("I", (fine, fine))
    pen = ImageDraw.Draw(plan)
    tints, low, span = [], [], []
    for index, (shard, angle) in enumerate(zip(shards, lean.tolist(), strict=True)):
        pen.polygon((2 * shard).ravel().tolist(), fill=index, outline=index)
        # The median, so that the sliver of a neighbor does not muddy the plane's color.
        inner = np.clip((shard + shard.mean(0)) / 2, 0, size - 1).astype(int)
        tints.append(np.median(picture[inner[:, 1], inner[:, 0]], axis=0))
        reach = 2 * shard @ np.array([np.cos(angle), np.sin(angle)])
        low.append(reach.min())
        span.append(np.ptp(reach) + 1)
    owner = np.asarray(plan)
    rows, columns = np.mgrid[:fine, :fine]
    slope = np.cos(lean)[owner] * columns + np.sin(lean)[owner] * rows
    slope = np.clip((slope - np.array(low)[owner]) / np.array(span)[owner], 0, 1) - 0.5
    planes = vary(np.stack(tints), rng, 0.12, 0.12, 0.035)[owner]
    image = recolor(planes, 0.25 * slope, 1.1, 0.24 * slope)
    lines = Image.new("L", (fine, fine))
    pen = ImageDraw.Draw(lines)
    for shard in _shards(picture, cuts, rng, 5):  # looser cuts, drawn as construction lines
        shade = int(rng.integers(60, 200))
        pen.line((2 * shard).ravel().tolist(), fill=shade, width=max(1, fine // 500))
    drawn = np.asarray(lines, np.float32) / 255
    strokes = noise(fine, fine / 220, rng, 6) * 0.03 + noise(fine, fine / 300, rng) * 0.02
    return canvas.to_image(mix(image + strokes[..., None], colors["dark"], drawn * 0.7), size)


def _scattered(size: int, gap: float, rng: np.random.Generator) -> Array:
    """Points ``(n, 2)`` as row and column, ``gap`` apart on average: a grid shaken by hand."""
    count = max(2, round(size / gap))
    grid = (np.mgrid[:count, :count].reshape(2, -1).T + 0.5) * size / count
    shaken = grid + rng.uniform(-0.38, 0.38, grid.shape) * gap
    return np.asarray(np.clip(shaken, 0, size - 1), np.float32)


def _nearest(
    size: int, sites: Array, reach: float, angle: Array | None, labels: Labels | None = None
) -> tuple[Labels, Array, Array]:
    """For every pixel the index of its site, the distance to it, and the distance to the runner-up.

    With ``angle`` the distance is that of squares turned that way, otherwise the plain one. With
    ``labels`` a site keeps to its own shape, unless no other site lies in the shape next to it.
    """
    owner = np.zeros((size, size), np.int32)
    first, second = (np.full((size, size), 4 * reach, np.float32) for _ in range(2))
    for index, (row, column) in enumerate(sites.tolist()):
        top, left = max(0, int(row - reach)), max(0, int(column - reach))
        part = np.s_[top : int(row + reach) + 1, left : int(column + reach) + 1]
        shape = owner[part].shape
        down = (np.arange(top, top + shape[0], dtype=np.float32) - row)[:, None]
        right = (np.arange(left, left + shape[1], dtype=np.float32) - column)[None]
        if angle is None:
            distance = np.hypot(down, right)
        else:
            turn = angle[int(row), int(column)]
            cos, sin = np.cos(turn), np.sin(turn)
            distance = np.maximum(
                np.abs(cos * right + sin * down), np.abs(cos * down - sin * right)
            )
        if labels is not None:
            distance = distance + (labels[part] != labels[int(row), int(column)]) * np.float32(
                1.5 * reach
            )
        closer = distance < first[part]
        second[part] = np.where(closer, first[part], np.minimum(second[part], distance))
        first[part][closer] = distance[closer]
        owner[part][closer] = index
    return owner, first, second


def _centers(owner: Labels, sites: Array) -> Array:
    """The middle of the area that each site owns; a site that owns nothing stays where it is."""
    flat, count = owner.ravel(), len(sites)
    area = np.bincount(flat, minlength=count)
    rows, columns = (axis.ravel() for axis in np.mgrid[: owner.shape[0], : owner.shape[1]])
    sums = np.stack(
        [np.bincount(flat, weights=axis, minlength=count) for axis in (rows, columns)], axis=1
    )
    centers = np.where(area[:, None] > 0, sums / np.maximum(area, 1)[:, None], sites)
    return centers.astype(np.float32)


def _shards(
    picture: Array, cuts: NDArray[np.float64], rng: np.random.Generator, coarse: float = 1.0
) -> list[Array]:
    """Cut the square into convex polygons of ``(x, y)``: small ones where the picture is busy.

    ``coarse`` times the usual area is small enough.
    """
    size = picture.shape[0]
    drawn = canvas.edges((picture.sum(-1) * 40).astype(np.int32))
    busy = smooth(drawn.astype(np.float32), size / 24)
    busy = busy / (busy.max() + 1e-6)
    corner = float(size)
    waiting = [np.array([[0, 0], [corner, 0], [corner, corner], [0, corner]], np.float32)]
    done: list[Array] = []
    while waiting:
        shape = waiting.pop()
        before = shape[np.arange(-1, len(shape) - 1)]
        area = abs(float((shape[:, 0] * before[:, 1] - shape[:, 1] * before[:, 0]).sum())) / 2
        column, row = np.clip(shape.mean(0), 0, size - 1).astype(int)
        enough = 330 + 2600 * (1 - busy[row, column]) ** 3
        if area < (size / 768) ** 2 * enough * coarse:
            done.append(shape)
            continue
        lean = float(rng.choice(cuts)) + rng.normal(0, 0.12)
        weights = rng.dirichlet(np.full(len(shape), 3.0))
        waiting += [part for part in _halves(shape, weights @ shape, lean) if len(part) > 2]
    return done


def _halves(shape: Array, point: Array, lean: float) -> list[Array]:
    """The two sides of a convex polygon cut through ``point`` along the angle ``lean``."""
    side = (shape - point) @ np.array([-np.sin(lean), np.cos(lean)], np.float32)
    halves: list[list[Array]] = [[], []]
    for k in range(len(shape)):
        here, there = side[k - 1], side[k]
        if (here > 0) != (there > 0):
            crossing = shape[k - 1] + (shape[k] - shape[k - 1]) * (here / (here - there))
            halves[0].append(crossing)
            halves[1].append(crossing)
        halves[int(there > 0)].append(shape[k])
    return [np.array(half, np.float32) for half in halves]
