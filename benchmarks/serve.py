"""How fast the service answers many clients, beside the same work in one process.

    python benchmarks/serve.py                    64 clients, 300 pictures
    python benchmarks/serve.py --pictures 10000   and whether its memory grows

Needs Linux. Each client sends a photo, waits for the picture, and sends the next one.
"""

import argparse
import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from statistics import median, quantiles

import httpx

from fasttransfer.core.assets import BUNDLED_PHOTOS
from fasttransfer.images.reading import open_rgb
from fasttransfer.images.sizes import resized
from fasttransfer.large.settings import TileSettings
from fasttransfer.models.style_file import find_style, load_style
from fasttransfer.pipeline.settings import MediaSettings
from fasttransfer.service.pictures import Asked, answer
from fasttransfer.service.styles import OfferedStyles
from fasttransfer.stylizing.stylizer import Stylizer
from fasttransfer.video.settings import VideoSettings

STYLE = "mosaic_realtime"
WORKERS = 2
MEDIA = MediaSettings(
    TileSettings("auto", None, 1024, 1024), VideoSettings("auto", 20, "auto", 0, 8)
)


def photo(size: int) -> bytes:
    """A bundled photo as a JPEG, with a longer side of ``size``."""
    file = BytesIO()
    image = open_rgb(BUNDLED_PHOTOS["bundled-probe"] / "chenonceau.jpg", max_pixels=10**8)
    resized(image, size).save(file, "JPEG", quality=90)
    return file.getvalue()


def in_one_process(sent: bytes, count: int) -> float:
    """Pictures per second without HTTP."""
    styles = OfferedStyles([load_style(find_style(STYLE))], Stylizer, 1)
    asked = Asked(style=STYLE)

    def stylize(_: int) -> None:
        answer(BytesIO(sent), None, asked, styles, MEDIA)

    stylize(0)
    with ThreadPoolExecutor(WORKERS) as pool:
        start = time.perf_counter()
        list(pool.map(stylize, range(count)))
        return count / (time.perf_counter() - start)


async def by_clients(
    url: str, sent: bytes, clients: int, count: int, watch: Callable[[], None]
) -> tuple[float, list[float], int]:
    """Pictures per second, the seconds of each, and how many got no picture."""
    left, seconds, lost = iter(range(count)), [], 0

    async def client() -> None:
        nonlocal lost
        async with httpx.AsyncClient(timeout=600) as session:
            for _ in left:
                start = time.perf_counter()
                got = await session.post(url, files={"picture": sent}, data={"style": STYLE})
                seconds.append(time.perf_counter() - start)
                lost += got.status_code != 200
                watch()

    start = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return count / (time.perf_counter() - start), seconds, lost


def megabytes(process: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{process}/statm").read_text("utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Prints both speeds, their ratio, times, and memory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--size", type=int, default=640)
    typed = parser.parse_args()
    sent = photo(typed.size)
    script = Path(__file__).resolve().parents[1] / "infer.py"
    settings = f"service.server.port=0 service.workers={WORKERS} service.seconds=600"
    waiting = f"service.waiting={typed.clients}"
    server = subprocess.Popen(
        [sys.executable, str(script), "task=serve", f"style={STYLE}", *settings.split(), waiting],
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert server.stderr is not None
    memory: list[float] = []
    try:
        [url] = re.findall(r"http://[\d.:]+", server.stderr.readline())
        answers = f"{url}/stylize"
        asyncio.run(by_clients(answers, sent, 1, 3, lambda: None))
        served, seconds, lost = asyncio.run(
            by_clients(
                answers,
                sent,
                typed.clients,
                typed.pictures,
                lambda: memory.append(megabytes(server.pid)),
            )
        )
    finally:
        server.terminate()
        server.wait()
    alone = in_one_process(sent, min(typed.pictures, 300))
    cuts = quantiles(seconds, n=100)
    tenth = max(1, len(memory) // 10)
    print(f"{typed.pictures} pictures of {typed.size} pixels, {typed.clients} clients, {lost} lost")
    print(f"one process {alone:.2f} pictures/s, service {served:.2f}: {served / alone:.1%}")
    print(f"seconds: p50 {cuts[49]:.2f}, p95 {cuts[94]:.2f}, p99 {cuts[98]:.2f}")
    print(
        f"memory: {median(memory[:tenth]):.0f} MB at first, {median(memory[-tenth:]):.0f} MB at last"
    )


if __name__ == "__main__":
    main()
