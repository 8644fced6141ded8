"""Which encoder is taken, and what of the settings it has no use for."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from fasttransfer.video.encoders import pick_encoder
from fasttransfer.video.settings import VideoSettings


@pytest.mark.parametrize(
    ("ending", "preset", "notes"),
    [
        (".mp4", "slow", []),
        (".webm", "auto", []),
        (".webm", "slow", ["video.preset=slow was left out: libvpx-vp9 has none"]),
    ],
)
def test_a_preset_that_an_encoder_lacks_is_named(
    tmp_path: Path, ending: str, preset: str, notes: list[str]
) -> None:
    path = tmp_path / f"clip{ending}"
    settings = VideoSettings(codec="auto", crf=20, preset=preset, threads=1, queue=1)
    found: list[str] = []
    with av.open(str(path), "w") as container:
        encoder = pick_encoder(settings, container, path, 64, 48, Fraction(1, 30), found)
    assert found == notes
    expected = {".mp4": preset, ".webm": None}[ending]
    assert encoder.options.get("preset") == expected
