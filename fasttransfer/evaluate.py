"""How good is a trained network? Scores over photos that it was never trained on."""

from collections.abc import Iterable

import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import Tensor

from .config import CONF_DIR
from .losses import PerceptualLoss
from .network import TransformerNet
from .vgg import VGG16Features

OBJECTIVES = ("balanced", "johnson")

Scores = dict[str, float]


def make_objective(name: str, features: VGG16Features) -> PerceptualLoss:
    """The loss that ``conf/loss/NAME.yaml`` describes."""
    objective: PerceptualLoss = instantiate(
        OmegaConf.load(CONF_DIR / "loss" / f"{name}.yaml"), features=features, _convert_="all"
    )
    return objective


@torch.no_grad()
def score_pictures(
    pairs: Iterable[tuple[Tensor, Tensor]], style: Tensor, features: VGG16Features
) -> Scores:
    """Mean scores of stylized pictures under both objectives, picture by picture.

    Args:
        pairs: of a stylized picture and its photo, each (3, H, W) in [0, 1].
        style: the style image (1, 3, H, W) in [0, 1], at its training size.
        features: the loss network; its device is used.

    Returns:
        ``OBJECTIVE_TERM`` for each objective and each term of ``PerceptualLoss``, such as
        ``balanced_content``, ``balanced_style_relu4_3`` or ``johnson_total``; and ``grid``,
        the balanced objective's grid term as an amplitude in 8-bit levels. Less is better.
    """
    device = features.mean.device
    objectives = {name: make_objective(name, features) for name in OBJECTIVES}
    for objective in objectives.values():
        objective.set_style(style.to(device))
    sums: Scores = {}
    count = 0
    for stylized, content in pairs:
        count += 1
        found: Scores = {}
        for name, objective in objectives.items():
            terms = objective(stylized[None].to(device), content[None].to(device))
            found |= {f"{name}_{term}": value.item() for term, value in terms.items()}
        found["grid"] = 255 * found["balanced_grid"] ** 0.5
        for key, number in found.items():
            sums[key] = sums.get(key, 0.0) + number
    return {key: value / count for key, value in sums.items()}


@torch.no_grad()
def score(
    network: TransformerNet, photos: Iterable[Tensor], style: Tensor, features: VGG16Features
) -> Scores:
    """``score_pictures`` of what ``network`` makes of ``photos``, (3, H, W) in [0, 1] each, clamped
    as a picture file would be."""
    device = features.mean.device
    pairs = ((network(photo[None].to(device))[0].float().clamp(0, 1), photo) for photo in photos)
    return score_pictures(pairs, style, features)
