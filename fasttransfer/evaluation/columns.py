"""The scores that the table and the page show; TensorBoard and the JSON file get all."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from .scores import Scores
from .slow_settings import STARTS


@dataclass(frozen=True)
class Column:
    """One score.

    Attributes:
        key: among the scores.
        label: above the column.
        meaning: one phrase, or empty.
        more_is_better: otherwise less is.
    """

    key: str
    label: str
    meaning: str = ""
    more_is_better: bool = False


def _iterations(objective: str) -> list[Column]:
    suffix = "" if objective == "balanced" else f", {objective}"
    return [
        Column(
            f"{objective}_iterations_{start}",
            f"from {start}{suffix}",
            f"iterations of the slow method from {start} until its {objective} objective is as low",
            more_is_better=True,
        )
        for start in STARTS
    ]


COLUMNS = (
    Column("balanced_total", "objective", "the balanced objective: what is minimized in training"),
    Column("balanced_content", "content", "relative difference of the features at relu3_3"),
    Column("balanced_style", "style", "relative difference of the Gram matrices, 0 to 1"),
    Column("johnson_total", "johnson", "the objective of jcjohnson/fast-neural-style"),
    Column("johnson_content", "content loss", "mean squared difference of relu3_3, of 0 to 255"),
    Column("johnson_style", "style loss", "squared difference of Gram matrices, see the docs"),
    Column("ssim", "SSIM", "structural similarity to the photo", more_is_better=True),
    Column("lpips", "LPIPS", "perceptual distance from the photo"),
    *(
        Column(f"balanced_style_{layer}", layer, f"the style term at {layer}")
        for layer in ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
    ),
    Column(
        "balanced_times_limit",
        "× limit",
        "the objective, divided by what the slow method achieves from noise",
    ),
    *_iterations("balanced"),
    Column("johnson_times_limit", "× limit, johnson", "the same for johnson's objective"),
    *_iterations("johnson"),
    Column(
        "checkerboard",
        "checkerboard",
        "peak of the spectrum at a period of 2 or 4 pixels, relative to the photo: 1 is none",
    ),
    Column("balanced_fine", "fine", "detail that is finer than in the style image: 0 is none"),
    Column("droplets", "droplets", "fraction of the picture that is spots in flat areas"),
    Column("border_contrast", "border", "how much the border differs from what is next to it"),
    Column("milliseconds", "ms", "milliseconds per picture"),
    Column("flicker", "flicker", "excess warping error of clips, in 8-bit levels"),
)


def known_columns(means: Mapping[str, Scores]) -> list[Column]:
    """Those for which any style has a score."""
    return [c for c in COLUMNS if any(c.key in scores for scores in means.values())]


def as_text(score: float) -> str:
    """Three digits; ``-`` if it is unknown, ``never`` for iterations that never get there."""
    if math.isnan(score):
        return "-"
    return f"{score:.3g}" if math.isfinite(score) else "never"
