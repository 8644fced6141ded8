"""What cannot be compared."""

from typing import Any

import pytest

from fasttransfer.core.errors import FastTransferError
from fasttransfer.evaluation.comparison_settings import ComparisonSettings
from fasttransfer.evaluation.field_metrics import MetricSettings
from fasttransfer.video.settings import VideoSettings

USUAL: dict[str, Any] = {
    "metrics": MetricSettings(None),
    "log_dir": "logs",
    "sizes": [512],
    "limit": 0,
    "style": None,
    "clip_frames": 100,
    "max_pixels": 10**6,
    "weights": "bundled",
    "device": "cpu",
    "video": VideoSettings("auto", 20, "auto", 0, 8),
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizes": []}, "comparison.sizes= must be different longer sides"),
        ({"sizes": [64, 64]}, "comparison.sizes=64,64 must be different longer sides"),
        ({"sizes": [4]}, "comparison.sizes=4 must be a whole number from 8 on"),
        ({"sizes": [None]}, "comparison.sizes=None must be a whole number from 8 on"),
        ({"limit": 1.5}, "comparison.limit=1.5"),
        ({"limit": None}, "comparison.limit=None"),
        ({"clip_frames": 0}, "comparison.clip_frames=0"),
    ],
)
def test_settings_that_cannot_be(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FastTransferError, match=message):
        ComparisonSettings(**(USUAL | changes))


def test_all_frames_of_a_clip() -> None:
    assert ComparisonSettings(**(USUAL | {"clip_frames": None})).clip_frames is None
