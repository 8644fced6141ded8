"""Small reports of a comparison."""

from math import inf, nan

import torch
from torch import Tensor

from fasttransfer.evaluation.columns import Column
from fasttransfer.evaluation.page import ComparedPhoto, ComparisonReport

RED, GREEN, BLUE, GREY = (200, 0, 0), (0, 160, 0), (0, 0, 220), (128, 128, 128)
COLUMNS = [
    Column("objective", "objective", "What is trained."),
    Column("milliseconds", "ms"),
    Column("likes", "likes", more_is_better=True),
]
ODD = [
    "</script><script>document.title = 'run'</script>",
    "<!--<script>",
    "<img src=x onerror=\"document.title = 'run'\">",
    "__proto__",
    "'\"`${1}$report\\",
    "& &amp; \u2028 \u202eabc \ud800 漢字",
    "long" * 100,
]
NEVER = {"wood": {"likes": 7.0}, "ink": {"likes": inf}, "sand": {}}


def plain(color: tuple[int, int, int], height: int = 60, width: int = 90) -> Tensor:
    return (torch.tensor(color) / 255)[:, None, None].expand(3, height, width)


def report() -> ComparisonReport:
    """Two styles over two photos; one style has not been scored on the second."""
    scores = {
        "wood": {"objective": 4.0, "milliseconds": 80.0, "likes": 3.0, "other": 1.0},
        "ink": {"objective": 5.0, "milliseconds": 20.0, "likes": 7.0},
    }
    first = ComparedPhoto(
        "first", plain(RED), {"wood": plain(GREEN), "ink": plain(BLUE, 30, 45)}, scores
    )
    second = ComparedPhoto("second", plain(GREY, 90, 60), {"ink": plain(BLUE, 90, 60)}, {})
    means = {"wood": scores["wood"], "ink": scores["ink"], "sand": {"objective": 4.5, "likes": nan}}
    return ComparisonReport("Styles compared", COLUMNS, means, [first, second])


def odd_report() -> ComparisonReport:
    stylized = {name: plain(GREEN) for name in ODD}
    scores = {name: {"objective": float(number)} for number, name in enumerate(ODD)}
    columns = [Column("objective", name, name) for name in ODD]
    return ComparisonReport(
        ODD[0], columns, scores, [ComparedPhoto(n, plain(RED), stylized, {}) for n in ODD]
    )
