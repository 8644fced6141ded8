"""Bars and lines."""

import io
import time

import pytest
from rich.console import Console

from fasttransfer.core.displays import Display, Lines, duration, rate


@pytest.mark.parametrize(
    ("count", "seconds", "text"),
    [(5, 2.0, "2.50 images/s"), (1, 244.6, "244.6 s/image"), (2, 3.0, "1.5 s/image")],
)
def test_rate(count: int, seconds: float, text: str) -> None:
    assert rate(count, "images", seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (40, "40 s"), (420, "7 min"), (7500, "2 h 5 min")]
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_task_as_a_line() -> None:
    display = Display()
    task = display.add("mosaic\n", 2000, "images")
    assert task.line() == r"mosaic\n: 0/2000 images, 0 s so far"
    task.start -= 60
    display.update(task, 120, failed=0)
    assert task.line() == r"mosaic\n: 120/2000 images, 2.00 images/s, 16 min left"
    display.update(task, 110, failed=10)
    assert task.line().endswith(": 120/2000 images, 1.83 images/s, 10 failed, 16 min left")
    stream = display.add("clip.mp4", None, "frames")
    stream.start -= 7200
    display.update(stream, 7200 * 24)
    assert stream.line() == "clip.mp4: 172800 frames, 24.00 frames/s, 2 h 0 min so far"


def wait_for(screen: io.StringIO, text: str) -> None:
    until = time.monotonic() + 20
    while text not in screen.getvalue():
        assert time.monotonic() < until, screen.getvalue()
        time.sleep(0.01)


def test_lines_come_while_one_item_takes_long() -> None:
    screen = io.StringIO()
    with Lines(Console(file=screen, width=20), every=0.01) as lines:
        photos = lines.add("mosaic", 3, "images")
        wait_for(screen, "mosaic: 0/3 images")
        lines.update(photos, 1)
        tiles = lines.add("large[1].tif", 9, "tiles")
        wait_for(screen, "mosaic: 1/3 images, ")
        wait_for(screen, "left; large[1].tif: 0/9 tiles, 0 s so far\n")
        lines.remove(tiles)
    printed = screen.getvalue()
    time.sleep(0.05)
    assert len(screen.getvalue()) - len(printed) <= 80  # one line more at most
