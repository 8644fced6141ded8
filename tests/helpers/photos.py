"""Small real pictures."""

from pathlib import Path

import numpy as np
from PIL import Image


def make_photo(path: Path, width: int, height: int, seed: int = 0) -> Path:
    """A smooth random picture, so that there is something to see at every scale."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (max(2, height // 16), max(2, width // 16), 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).save(path)
    return path
