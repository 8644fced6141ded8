"""Measures the flicker of a stylized clip: changes that its input does not have.

The warping error of Lai et al. 2018, "Learning Blind Video Temporal Consistency" (arXiv:1808.00449):
each stylized frame is compared to the one before it, moved along the optical flow of the *input*,
wherever both frames see the same thing. Two departures: the mean absolute difference instead of the
mean square, which a few edges with an inexact flow would decide; and the flow of Kroeger et al.
2016, "Fast Optical Flow using Dense Inverse Search" (arXiv:1603.03590), which OpenCV brings. Noise,
interpolation and flow leave no clip without an error, so the input's own error is reported too.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..core.errors import FastTransferError
from ..core.libraries import require
from ..images.tensors import LUMA

Frame = np.ndarray  # uint8 RGB (H, W, 3)
FindFlow = Callable[[np.ndarray, np.ndarray], np.ndarray]

MIN_SIDE = 32  # pixels; smaller frames have no pyramid to search
MIN_VISIBLE = 0.25  # of a frame; two with less in common are a cut, not a movement


@dataclass(frozen=True)
class Flicker:
    """Mean warping errors, in 8-bit levels, of a stylized clip and of its input."""

    stylized: float
    content: float

    @property
    def excess(self) -> float:
        """What stylizing adds to the input's own error."""
        return self.stylized - self.content


def measure_flicker(content: Iterable[Frame], stylized: Sequence[Iterable[Frame]]) -> list[Flicker]:
    """The flicker of several stylizations of one clip; two frames of each are held at a time.

    Args:
        content: the frames of the input, uint8 RGB (H, W, 3), at least 32 pixels a side.
        stylized: for each stylization, its frames, equal in number and size to the input's.

    Returns:
        For each stylization the means over all pairs of neighboring frames, without cuts.

    Raises:
        FastTransferError: frames too small, of different sizes or numbers, or none to compare; or
            OpenCV is not installed.
    """
    find_flow = dense_inverse_search()
    sums, pairs = np.zeros(1 + len(stylized)), 0
    for before, now in pairwise(_together(content, stylized)):
        flow, visible = motion(now[0], before[0], find_flow)
        if visible.mean() >= MIN_VISIBLE:
            sums += [warping_error(*pair, flow, visible) for pair in zip(before, now, strict=True)]
            pairs += 1
    if not pairs:
        raise FastTransferError(
            "No two neighboring frames of the clip show the same thing; give a clip of at "
            "least two frames that are not all separated by cuts."
        )
    own, *others = (float(mean) for mean in sums / pairs)
    return [Flicker(stylized=other, content=own) for other in others]


def motion(now: Frame, before: Frame, find_flow: FindFlow) -> tuple[np.ndarray, np.ndarray]:
    """Finds where each pixel of a frame was in the previous frame.

    Returns:
        The flow (H, W, 2) in pixels, x first, with now(p) ≈ before(p + flow(p)); and a mask (H, W),
        true where the frame before shows the same thing: it lies inside the picture, the flow back
        leads home (Sundaram et al. 2010, "Dense Point Trajectories by GPU-Accelerated Large
        Displacement Optical Flow", doi:10.1007/978-3-642-15549-9_32), and no moving thing ends
        there (both conditions as in Ruder et al. 2016, "Artistic Style Transfer for Videos",
        arXiv:1604.08610, section 4.2).
    """
    gray_now, gray_before = _gray(now), _gray(before)
    flow = find_flow(gray_now, gray_before)
    back, inside = follow(find_flow(gray_before, gray_now), flow)
    length = np.square(flow).sum(-1)
    leads_home = np.square(flow + back).sum(-1) <= 0.01 * (length + np.square(back).sum(-1)) + 0.5
    change = sum(np.square(np.gradient(flow, axis=axis)).sum(-1) for axis in (0, 1))
    return flow, inside & leads_home & (change <= 0.01 * length + 0.002)


def follow(values: np.ndarray, flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``values`` where the flow leads.

    Float ``values`` (H, W, C) at p + flow(p) for each pixel p, where flow is (H, W, 2) in pixels, x
    first; and a mask (H, W) of where that is inside the picture.
    """
    cv2 = require("cv2", "flow", "measuring flicker")
    height, width = flow.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    x, y = columns + flow[..., 0], rows + flow[..., 1]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    # Linear interpolation would blur, and a blurred frame differs from a sharp one that stands still.
    return cv2.remap(values, x, y, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE), inside


def warping_error(before: Frame, now: Frame, flow: np.ndarray, visible: np.ndarray) -> float:
    """Mean absolute difference, in 8-bit levels, of a frame and the one before it, moved.

    It is moved along ``flow``, and counted over the pixels that are ``visible``; both as ``motion``
    returns them.
    """
    moved, _ = follow(before.astype(np.float32), flow)
    return float(np.abs(moved - now)[visible].mean())


def dense_inverse_search() -> FindFlow:
    """The optical flow (H, W, 2) from one gray picture, uint8 (H, W), to another."""
    cv2 = require("cv2", "flow", "measuring flicker")
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return lambda first, second: search.calc(first, second, None)


def _gray(frame: Frame) -> np.ndarray:
    return np.rint(frame @ np.array(LUMA)).astype(np.uint8)


def _together(
    content: Iterable[Frame], stylized: Sequence[Iterable[Frame]]
) -> Iterator[list[Frame]]:
    """The frames that belong together, checked."""
    sources = [iter(frames) for frames in (content, *stylized)]
    while found := [
        frame for frame in (next(source, None) for source in sources) if frame is not None
    ]:
        sizes = sorted({f"{frame.shape[1]}×{frame.shape[0]}" for frame in found})
        if len(found) < len(sources) or len(sizes) > 1:
            raise FastTransferError(
                "A clip and its stylizations must have the same number of frames of the same size; "
                f"got frames of {' and '.join(sizes)} and {len(found)} of {len(sources)} clips go on."
            )
        if min(found[0].shape[:2]) < MIN_SIDE:
            raise FastTransferError(
                f"Frames of {sizes[0]} are too small for optical flow, which needs {MIN_SIDE} pixels a "
                "side; give a larger clip."
            )
        yield found
