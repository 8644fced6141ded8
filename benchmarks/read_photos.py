"""Training crops per second that one process reads, from file to tensor: what training can take.

python benchmarks/read_photos.py [FOLDER] [--crop 128] [--count 300]
"""

import argparse
import json
import statistics
import time
from pathlib import Path

from machine import describe

from fasttransfer.data.crops import PhotoCrops, RandomCrop
from fasttransfer.data.findings import Findings
from fasttransfer.data.photos import photo_folder, usable_photos


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default="bundled", help="photos")
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--count", type=int, default=300)
    typed = parser.parse_args()
    paths, _ = usable_photos(photo_folder(typed.folder), Findings(64, 10**8))
    crops = PhotoCrops(
        paths, RandomCrop(typed.crop, 384, 0.5, 1.5), 0, 10**8, Path("skipped_photos.txt")
    )
    times = []
    for number in range(typed.count):
        start = time.perf_counter()
        crops.crop(number)
        times.append(time.perf_counter() - start)
    rate = 1 / statistics.median(times)
    print(f"{rate:.0f} crops of {typed.crop}² a second and process, median of {typed.count}")
    print(json.dumps({"crops_per_second": round(rate, 1), "machine": describe()}))


if __name__ == "__main__":
    main()
