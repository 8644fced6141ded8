"""``python -m fasttransfer.draw FOLDER [--size 768] [--seed N]``: draw every style as a file."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from fasttransfer.draw import BUNDLED_SEEDS, STYLES, draw


def save_whole(image: Image.Image, path: Path) -> None:
    """Write a JPEG beside its place and rename it, so that no reader ever sees half a file."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with partial.open("xb") as file:  # which follows no link
            image.save(file, format="JPEG", quality=88, optimize=True, progressive=True)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw all ``STYLES`` as ``FOLDER/NAME.jpg`` and say where each went."""
    parser = argparse.ArgumentParser(
        prog="python -m fasttransfer.draw", description="Draw style images."
    )
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="where the JPEG files go; made if it is missing"
    )
    parser.add_argument(
        "--size", type=int, default=768, help="width and height in pixels (default: 768)"
    )
    parser.add_argument(
        "--seed", type=int, help="draw other pictures than the bundled ones: any number from 0 on"
    )
    chosen = parser.parse_args(arguments)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    for name in STYLES:
        seed = BUNDLED_SEEDS[name] if chosen.seed is None else chosen.seed
        try:
            image = draw(name, chosen.size, seed)
        except ValueError as error:
            parser.error(str(error))
        path = chosen.folder / f"{name}.jpg"
        save_whole(image, path)
        print(path, flush=True)


if __name__ == "__main__":
    main()
