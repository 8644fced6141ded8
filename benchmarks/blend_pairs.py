"""Draws all pairs of some styles, half of each, over one photo: ``docs/images/blends.jpg``.

    python benchmarks/blend_pairs.py [STYLE …] [--photo FILE] [-o FILE]

First the styles themselves, then the pairs. Each pair is one network with the mean of both networks'
weights, as ``--style A:0.5,B:0.5`` makes it.
"""

import argparse
import itertools
from pathlib import Path

import torch
from torch import Tensor

from fasttransfer.core.assets import BUNDLED_PHOTOS
from fasttransfer.images.contact_sheets import captioned, tiled
from fasttransfer.images.reading import read_picture
from fasttransfer.images.tensors import resize
from fasttransfer.images.writing import write_picture
from fasttransfer.models.blending import blend, obstacle
from fasttransfer.models.style_file import StyleFile, find_style, load_style
from fasttransfer.models.transformer_net import TransformerNet

STYLES = (
    *("starry_night", "mosaic", "great_wave", "the_scream"),
    *("tableau", "hatching", "watercolor", "stained_glass"),
)
PHOTO = BUNDLED_PHOTOS["bundled-probe"] / "machu-picchu.jpg"
STYLIZED_AT, SHOWN_AT = 512, 270  # longer sides in pixels
COLUMNS = 6


def main() -> None:
    """Writes the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("styles", nargs="*", default=STYLES)
    parser.add_argument("--photo", type=Path, default=PHOTO)
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/images/blends.jpg"))
    typed = parser.parse_args()
    photo = resize(read_picture(typed.photo, max_pixels=10**9).rgb, STYLIZED_AT)
    styles = [load_style(find_style(name)) for name in typed.styles]
    if reason := obstacle(styles):
        raise SystemExit(reason)
    cells = [cell(style.network, photo, title(style)) for style in styles]
    for one, other in itertools.combinations(styles, 2):
        mixed = blend([(one, 0.5), (other, 0.5)])
        assert isinstance(mixed, StyleFile)  # as there is no obstacle
        cells.append(cell(mixed.network, photo, f"{title(one)} + {title(other)}"))
    write_picture(typed.output, tiled(cells, COLUMNS), None, quality=75)
    print(f"wrote {typed.output}, {typed.output.stat().st_size / 1e3:.0f} kB")


@torch.no_grad()
def cell(network: TransformerNet, photo: Tensor, caption: str) -> Tensor:
    """The stylized photo with a line below it, (3, H, W)."""
    return captioned(resize(network(photo[None])[0].clamp(0, 1), SHOWN_AT), caption)


def title(style: StyleFile) -> str:
    """The name of a style as a person writes it."""
    return style.name.replace("_", " ")


if __name__ == "__main__":
    main()
