"""The live page for many minutes: does memory stay flat, and is every picture young?

Starts infer.py on the moving pattern and reads its pictures over loopback as the page does: one
after the other, asking for the next one when the last is decoded. Age is from the camera to the
decoded picture, by the clock that both share.

    python benchmarks/live_soak.py [--minutes 10] [--style mosaic] [SETTING=VALUE …]
"""

import argparse
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from machine import describe
from rich.console import Console
from rich.table import Table
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from fasttransfer.live.messages import decode

SCRIPT = Path(__file__).parents[1] / "infer.py"
WARM_UP = 10.0  # seconds from the first picture until memory is called the start's
OLDEST_ALLOWED = 200.0  # milliseconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("settings", nargs="*", help="of infer.py, such as engine=torch")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--style", default="mosaic")
    typed = parser.parse_args()
    process, url = start(typed.style, typed.settings)
    try:
        with connect(f"ws://{url}/frames", origin=Origin(f"http://{url}"), max_size=None) as window:
            figures = watch(window, process.pid, 60 * typed.minutes)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    figures |= {"exit_code": process.returncode, "style": typed.style}
    show(figures)


def start(style: str, settings: list[str]) -> tuple[subprocess.Popen[str], str]:
    """infer.py, and the address and port of its page."""
    own = (f"style={style}", "input=camera:pattern", "live.port=0", "live.open_browser=false")
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), *own, *settings],
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert process.stderr is not None
    output = ""
    for line in process.stderr:  # engines may first report their preparation
        output += line
        if found := re.search(r"http://([^/]+)/", line):
            return process, found[1]
    raise SystemExit(output)


def watch(window: ClientConnection, pid: int, seconds: float) -> dict[str, object]:
    """Reads pictures; what was seen."""
    next_picture(window)
    begun = time.perf_counter()
    while time.perf_counter() < begun + WARM_UP:
        next_picture(window)
    memory = [resident_mib(pid)]
    ages: list[float] = []
    shape: tuple[int, ...] = (0, 0)
    state: dict[str, Any] = {}
    begun = time.perf_counter()
    while (passed := time.perf_counter() - begun) < seconds:
        age, shape, state = next_picture(window)
        ages.append(age)
        if passed > len(memory) * seconds / 10:
            memory.append(resident_mib(pid))
    memory.append(resident_mib(pid))
    return {
        "minutes": round(passed / 60, 2),
        "pictures": len(ages),
        "frames_per_second": round(len(ages) / passed, 2),
        "width": shape[1],
        "height": shape[0],
        "network_ms": state["milliseconds"],
        "age_median_ms": round(median(ages), 1),
        "age_99_percent_ms": round(float(np.percentile(ages, 99)), 1),
        "age_oldest_ms": round(max(ages), 1),
        "older_than_allowed": sum(age > OLDEST_ALLOWED for age in ages),
        "resident_start_mib": memory[0],
        "resident_end_mib": memory[-1],
        "resident_largest_mib": max(memory),
    }


def next_picture(window: ClientConnection) -> tuple[float, tuple[int, int], dict[str, float]]:
    """Milliseconds since the next picture was taken, its height and width, and the header."""
    while True:
        window.send("next")
        message = window.recv(timeout=60)
        assert isinstance(message, bytes)
        header, stylized, _ = decode(message)
        if stylized:
            picture = cv2.imdecode(np.frombuffer(stylized, np.uint8), cv2.IMREAD_COLOR)
            assert picture is not None
            return 1000 * time.time() - header["captured"], picture.shape[:2], header


def resident_mib(pid: int) -> float:
    """The memory that a process holds, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return round(int(found[1]) / 1024, 1)


def show(figures: dict[str, object]) -> None:
    table = Table("figure", "value", title=f"live page on {describe()}")
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), str(value))
    Console().print(table)
    print(json.dumps({"benchmark": "live_soak", **figures, "machine": describe()}))


if __name__ == "__main__":
    main()
