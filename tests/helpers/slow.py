"""Settings of the slow method."""

from typing import Any

from fasttransfer.evaluation.slow_settings import PixelSettings


def pixel_settings(method: str, iterations: int, **others: Any) -> PixelSettings:
    """Those of ``conf/``, but for what a test is about."""
    usual: dict[str, Any] = {
        "history": 20,
        "lr": 0.02,
        "start": "photo",
        "coarsest": 256,
        "intermediate": None,
        "every": 10,
    }
    return PixelSettings(method, iterations, **(usual | others))
