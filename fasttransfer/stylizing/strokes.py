"""Strokes that are as large as wanted, whatever the size of the picture."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ..images.regions import Region
from ..images.tensors import LUMA

WINDOW = 9  # pixels a side, over which the style's answer to brightness is measured
FLAT = 1e-3  # variance of brightness below which there is no detail to answer to


class GuidedUpsampler:
    """A small stylized picture at the size of a large photo, any region of it.

    Interpolated alone it would be soft, so the detail that the photo lost when it was made small is
    added, as strongly as the style lets brightness through at each place:

        stylized↑ + a↑ · (photo − small photo↑)

    where ↑ is bicubic interpolation and a the slope of a local linear regression of the small
    stylized picture's luma on the small photo's, within [0, 1] (as in the guided filter, He, Sun & Tang
    2010, doi:10.1007/978-3-642-15549-9_1). Made small again, the detail vanishes: what is seen in a
    preview is what a print has.

    Args:
        stylized: (3, h, w) in [0, 1].
        photo: (3, h, w) in [0, 1], from which it was made.
        height, width: of the large photo.
    """

    def __init__(self, stylized: Tensor, photo: Tensor, height: int, width: int) -> None:
        self._maps = torch.cat([stylized, photo, _slope(stylized, photo)])[None]
        self._height, self._width = height, width

    def at(self, region: Region, photo: Tensor) -> Tensor:
        """(3, h, w) in [0, 1] at ``region`` of the large photo, of which ``photo`` is that part."""
        rows = _coordinates(region.top, region.bottom, self._height).to(self._maps)
        columns = _coordinates(region.left, region.right, self._width).to(self._maps)
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        places = torch.stack([x, y], dim=-1)[None]
        maps = F.grid_sample(
            self._maps, places, mode="bicubic", padding_mode="border", align_corners=False
        )[0]
        stylized, small, slope = maps[:3], maps[3:6], maps[6:].clamp(0, 1)
        return (stylized + slope * (photo - small)).clamp(0, 1)


def _coordinates(start: int, end: int, side: int) -> Tensor:
    """Of pixels ``start`` to ``end`` of ``side``, as ``grid_sample`` has them: −1 to 1."""
    return (torch.arange(start, end, dtype=torch.float64) + 0.5) * (2 / side) - 1


def _slope(stylized: Tensor, photo: Tensor) -> Tensor:
    """(1, h, w): how much brighter the style becomes where the photo does."""
    luma = torch.tensor(LUMA).to(photo).view(3, 1, 1)
    painted, seen = ((picture * luma).sum(dim=0)[None, None] for picture in (stylized, photo))
    covariance = _mean(painted * seen) - _mean(painted) * _mean(seen)
    variance = _mean(seen * seen) - _mean(seen).square()
    return (covariance / (variance + FLAT)).clamp(0, 1)[0]


def _mean(values: Tensor) -> Tensor:
    return F.avg_pool2d(values, WINDOW, stride=1, padding=WINDOW // 2, count_include_pad=False)
