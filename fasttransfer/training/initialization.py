"""Where the training of a new style starts: with the weights of the base, or of a trained style."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..core.assets import BASES
from ..core.errors import FastTransferError
from ..losses.perceptual import StyleObjective
from ..models.style_file import StyleFile, bundled_styles, find_style, load_style
from ..models.transformer_net import TransformerNet

BASE = "base"
NEAREST = "nearest"


def starting_style(
    start: Sequence[str], network: TransformerNet, photos: Tensor, objective: StyleObjective
) -> StyleFile | None:
    """The trained style whose weights the network is to start with.

    Args:
        start: ``base``, the bundled base of this shape or, where there is none, ``nearest``, one of the
            bundled styles; or style files, run folders or bundled names, of which it is the nearest.
        network: what is to be trained; only styles of its shape can be started from.
        photos: a few to compare styles with, (B, 3, H, W) in [0, 1].
        objective: of the new style.

    Returns:
        None if ``base`` and ``nearest`` find nothing of this shape.

    Raises:
        FastTransferError: a style that is not there or has a network of another shape.
    """
    if list(start) == [BASE]:
        bases = (load_style(path) for path in sorted(BASES.glob("*.safetensors")))
        fitting_base = next((b for b in bases if b.network.config == network.config), None)
        return fitting_base or starting_style([NEAREST], network, photos, objective)
    any_bundled = list(start) == [NEAREST]
    styles = [load_style(find_style(name)) for name in (bundled_styles() if any_bundled else start)]
    fitting = [style for style in styles if style.network.config == network.config]
    if not any_bundled and len(fitting) < len(styles):
        raise FastTransferError(
            f"start={','.join(start)} has a network of another shape than the one that is to be "
            "trained; give a style with the same network=, or start=null."
        )
    return nearest(fitting, photos, objective) if fitting else None


@torch.no_grad()
def nearest(styles: Sequence[StyleFile], photos: Tensor, objective: StyleObjective) -> StyleFile:
    """The style whose pictures of ``photos`` (B, 3, H, W) have the lowest loss in the new style."""
    if len(styles) == 1:
        return styles[0]

    def distance(style: StyleFile) -> float:
        return objective(style.network(photos).clamp(0, 1), photos)["total"].item()

    return min(styles, key=distance)
