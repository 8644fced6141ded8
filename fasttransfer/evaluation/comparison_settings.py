"""What a user sets for a comparison, checked where it is made."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.errors import FastTransferError
from ..core.values import whole_number
from ..models.vgg import LEAST_SIDE
from ..video.settings import VideoSettings
from .field_metrics import MetricSettings


@dataclass(frozen=True)
class ComparisonSettings:
    """How styles are compared.

    Attributes:
        log_dir: the folder for the results, also TensorBoard's.
        sizes: longer sides in pixels at which everything is stylized and scored.
        limit: iterations of the slow method to compare the results with; 0 for none.
        style: the style image of styles that come without theirs, or None.
        clip_frames: most frames of each clip; None for all.
        max_pixels: larger photos and frames are rejected.
        weights: of the loss network, see ``VGG16Features``.
        device: of the loss network, see ``pick_device``.
        video: how clips are decoded.
        metrics: the weights of scores that papers print.

    Raises:
        FastTransferError: a value out of range.
    """

    log_dir: str
    sizes: Sequence[int]
    limit: int
    style: str | None
    clip_frames: int | None
    max_pixels: int
    weights: str
    device: str
    video: VideoSettings
    metrics: MetricSettings

    def __post_init__(self) -> None:
        if not self.sizes or len({*self.sizes}) < len(self.sizes):
            raise FastTransferError(
                f"comparison.sizes={','.join(map(str, self.sizes))} must be different longer sides, "
                "such as 256,512."
            )
        for size in self.sizes:
            whole_number("comparison.sizes", size, least=LEAST_SIDE)
        whole_number("comparison.limit", self.limit, least=0)
        if self.clip_frames is not None:
            whole_number("comparison.clip_frames", self.clip_frames, least=1)
