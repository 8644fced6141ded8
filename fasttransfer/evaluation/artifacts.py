"""Measures artifacts of stylized pictures: grids, blobs in flat areas, odd borders.

Each measure takes a stylized picture and its photo, both (3, H, W) float RGB in [0, 1] of the same
size, 64 pixels a side or more, and says how much worse the picture is than the photo. Lengths are
in pixels and do not grow with the picture, as the strokes and the padding of a network do not.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from ..core.errors import FastTransferError

MIN_SIDE = 64
LEVEL = 1 / 255  # of 8 bits; anything smaller is lost in rounding

WINDOW = 64  # side of what is transformed at once; the grids fall on its frequencies 16 and 32
NEIGHBORS = (*range(-8, -2), *range(3, 9))  # from a peak; nearer ones belong to it (Hann window)

FLAT = 4 * LEVEL  # standard deviation in 9×9 pixels below which a photo is flat: a sky with noise
MARGIN = 24  # around anything that is not flat; strokes reach over its edges
VISIBLE = 16 * LEVEL

BORDER = 16
BESIDE = 48  # what is beside the border ends here


def artifacts(stylized: Tensor, content: Tensor) -> dict[str, float]:
    """All measures by name; empty if the picture is too small for them."""
    if min(content.shape[1:]) < MIN_SIDE:
        return {}
    measures = (checkerboard, droplets, border_contrast)
    return {measure.__name__: measure(stylized, content) for measure in measures}


def checkerboard(stylized: Tensor, content: Tensor) -> float:
    """How far a grid of period 2 or 4 sticks out of the spectrum, over the same of the photo.

    Upsampling leaves such grids (Odena et al. 2016, "Deconvolution and Checkerboard Artifacts",
    doi:10.23915/distill.00003).

    Returns:
        1 if the picture has no more of a grid than the photo, 10 for ten times the power. Edges and
        textures do not count: they are ridges and slopes of a spectrum, not peaks.
    """
    _check(stylized, content)
    return _peak(stylized) / _peak(content)


def droplets(stylized: Tensor, content: Tensor) -> float:
    """The share of the picture that is spots where the photo is flat.

    Instance norm amplifies whatever is there in a flat area, and leaves blobs. A pixel belongs to
    one if in some color its deviation, a mean over 5×5 pixels less that over 33×33, exceeds 6
    robust standard deviations (1.4826 times the median absolute deviation over all flat areas) and
    3 times the root mean square over 97×97 pixels around, or strokes would count where a style has
    them in only a part of the sky; and if it can be seen at all (16 levels of 255).

    Returns:
        0 (no spots, or nothing flat where there could be some) to 1.
    """
    _check(stylized, content)
    flat = _flat(content)
    if not bool(flat.any()):
        return 0.0
    deviation = _box(stylized.float(), 5) - _box(stylized.float(), 33)  # (3, H, W)
    values = deviation[:, flat]  # (3, N)
    middle = values.median(dim=1, keepdim=True).values
    spread = 1.4826 * (values - middle).abs().median(dim=1, keepdim=True).values
    deviation = (deviation - middle[..., None]).abs() * flat
    around = _box(deviation.square(), 97) / _box(flat[None].float(), 97).clamp_min(0.5)
    texture = _largest(around, 48).sqrt()  # the largest, as at the edge of a texture it ebbs away
    limit = torch.maximum(3 * texture, (6 * spread).clamp_min(VISIBLE)[..., None])
    return float((deviation > limit).any(dim=0).float().mean())


def border_contrast(stylized: Tensor, content: Tensor) -> float:
    """How much the outermost 16 pixels differ from the 32 beside them, beyond the photo's own.

    Padding makes borders duller, sharper or of another color. Pixels further in are a poor
    reference: photos show other things there, such as the sky at the top only.

    Returns:
        0 if the border matches what is beside it, the photo's border, or anything between.
        Otherwise the sum of what goes beyond that in contrast, as a natural logarithm (0.1: a
        tenth more or less), and in mean color, in standard deviations of the picture's colors.
    """
    _check(stylized, content)
    contrast, color = _difference(stylized.float())
    own_contrast, own_color = _difference(content.float())
    too_much = contrast - max(0.0, own_contrast)
    too_little = min(0.0, own_contrast) - contrast
    return max(0.0, too_much, too_little) + max(0.0, color - own_color)


def _peak(picture: Tensor) -> float:
    """The largest ratio of the power at a grid's frequency to that of its neighbors, 1 at least."""
    power = _power(picture).log()
    near = torch.tensor(NEIGHBORS, device=power.device)
    quarter = WINDOW // 4
    # The frequencies of period 4 (one and three quarters), of period 2, and of both in a direction.
    places = [(y * quarter, x * quarter) for y in range(4) for x in range(4)][1:]
    heights = [
        # Logarithms, as spectra fall by a power of the frequency; and the larger of both
        # directions, as straight edges make ridges along the axes.
        power[y, x]
        - torch.maximum(
            power[y, (x + near) % WINDOW].mean(),
            power[(y + near) % WINDOW, x].mean(),
        )
        for y, x in places
    ]
    return float(torch.stack(heights).max().clamp_min(0).exp())


def _power(picture: Tensor) -> Tensor:
    """The power spectrum (64, 64), averaged over colors and half overlapping windows.

    After Welch 1967, doi:10.1109/TAU.1967.1161901. Rounding to 8 bits is added, so that it is
    nowhere 0.
    """
    hann = torch.hann_window(WINDOW, device=picture.device)
    window = hann[:, None] * hann
    sums = torch.zeros_like(window)
    strips = picture.float().unfold(1, WINDOW, WINDOW // 2)  # (3, rows, W, 64)
    for strip in strips.unbind(dim=1):  # by rows, as all at once would take much memory
        patches = strip.unfold(1, WINDOW, WINDOW // 2)  # (3, columns, 64, 64)
        patches = patches - patches.mean(dim=(2, 3), keepdim=True)
        sums += torch.fft.fft2(patches * window).abs().square().mean(dim=(0, 1))
    return sums / strips.shape[1] / window.square().sum() + LEVEL**2 / 12


def _flat(content: Tensor) -> Tensor:
    """Where (H, W) the photo is flat, also all around."""
    return _largest(_contrast(content.float(), 9)[None], MARGIN)[0] < FLAT


def _difference(picture: Tensor) -> tuple[float, float]:
    """Between border and beside.

    The logarithm of the ratio of contrasts, and the distance of the mean colors in standard
    deviations.
    """
    border = torch.ones(picture.shape[1:], dtype=torch.bool, device=picture.device)
    border[BORDER:-BORDER, BORDER:-BORDER] = False
    beside = ~border
    beside[BESIDE:-BESIDE, BESIDE:-BESIDE] = False  # nothing in pictures of 96 pixels and less
    contrast = _contrast(picture, 5) + LEVEL
    colors = picture[:, border].mean(dim=1) - picture[:, beside].mean(dim=1)
    spread = picture.var(dim=(1, 2), correction=0).sum().sqrt() + LEVEL
    return float((contrast[border].mean() / contrast[beside].mean()).log()), float(
        colors.norm() / spread
    )


def _contrast(picture: Tensor, side: int) -> Tensor:
    """The standard deviation (H, W) around every pixel, averaged over the colors."""
    variance = _box(picture.square(), side) - _box(picture, side).square()
    return variance.clamp_min(0).sqrt().mean(dim=0)


def _box(picture: Tensor, side: int) -> Tensor:
    """Means (C, H, W) over squares of ``side`` pixels; at borders over what is inside."""
    rows = F.avg_pool2d(picture, (side, 1), 1, (side // 2, 0), count_include_pad=False)
    return F.avg_pool2d(rows, (1, side), 1, (0, side // 2), count_include_pad=False)


def _largest(picture: Tensor, reach: int) -> Tensor:
    """The largest values (C, H, W) within so many pixels to all sides."""
    side = 2 * reach + 1
    rows = F.max_pool2d(picture, (side, 1), 1, (reach, 0))  # both at once would be much slower
    return F.max_pool2d(rows, (1, side), 1, (0, reach))


def _check(stylized: Tensor, content: Tensor) -> None:
    height, width = content.shape[1:]
    if stylized.shape != content.shape or min(height, width) < MIN_SIDE:
        raise FastTransferError(
            "Artifacts are measured in a picture and its photo of the same size, at least "
            f"{MIN_SIDE} pixels a side; got {stylized.shape[2]}×{stylized.shape[1]} and "
            f"{width}×{height}."
        )
