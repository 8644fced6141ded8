"""Scores a trained network over photos that it was never trained on."""

from collections.abc import Collection, Iterable, Mapping
from statistics import fmean, median

import torch
from torch import Tensor

from ..core.errors import FastTransferError
from ..losses.objectives import OBJECTIVES, make_objective
from ..losses.perceptual import StyleObjective
from ..losses.stored_target import pack, restored_target
from ..models.transformer_net import TransformerNet
from ..models.vgg import VGG16Features
from .artifacts import artifacts

Scores = dict[str, float]


class Scorer:
    """Scores stylized pictures under both objectives.

    Args:
        style: the style image (1, 3, H, W) in [0, 1], at its training size, or ``packed_target`` of
            it; None if it is unknown, and then only content is scored.
        features: the loss network; its device is used.

    Attributes:
        objectives: by name; none if the style is unknown.

    Raises:
        FastTransferError: a packed target that cannot be used.
    """

    def __init__(
        self, style: Tensor | Mapping[str, Tensor] | None, features: VGG16Features
    ) -> None:
        self.features = features
        self.device = features.mean.device
        self.losses = {name: make_objective(name, features) for name in OBJECTIVES}
        self.objectives: dict[str, StyleObjective] = {}
        with features.remembering():  # both look at a style image in full size
            for name, loss in self.losses.items():
                if isinstance(style, Tensor):
                    self.objectives[name] = loss.for_style(style.to(self.device))
                elif style is not None:
                    self.objectives[name] = StyleObjective(loss, restored_target(loss, style))

    @torch.no_grad()
    def __call__(self, stylized: Tensor, content: Tensor) -> Scores:
        """The scores of one picture and its photo, each (3, H, W) in [0, 1].

        Returns:
            ``OBJECTIVE_TERM`` for each objective and each term of ``PerceptualLoss``, such as
            ``balanced_content``, ``balanced_style_relu4_3`` or ``johnson_total``; ``grid``, the
            balanced objective's grid term as an amplitude in 8-bit levels; and the measures of
            ``artifacts``, if the picture is large enough. Lower is better.
        """
        found: Scores = {}
        pair = stylized[None].to(self.device), content[None].to(self.device)
        with self.features.remembering():  # both objectives look at the same pictures
            for name, loss in self.losses.items():
                objective = self.objectives.get(name)
                terms = objective(*pair) if objective else loss.without_style(*pair)
                found |= {f"{name}_{term}": value.item() for term, value in terms.items()}
        found["grid"] = 255 * found["balanced_grid"] ** 0.5
        return found | artifacts(stylized.cpu(), content.cpu())


def packed_target(style: Tensor, features: VGG16Features) -> dict[str, Tensor]:
    """What scores compare with for a style image (1, 3, H, W), for its style file; 0.3 MB."""
    packed: dict[str, Tensor] = {}
    for loss in (make_objective(name, features) for name in OBJECTIVES):
        try:  # one objective compares with a part of what the other does
            restored_target(loss, packed)
        except FastTransferError:
            packed |= pack(loss.target(style.to(features.mean.device)))
    return packed


def mean_scores(rows: Collection[Scores]) -> Scores:
    """The mean of each score over the photos that have it.

    For iterations the median, since some may be infinite.
    """
    keys = dict.fromkeys(key for row in rows for key in row)
    values = {key: [row[key] for row in rows if key in row] for key in keys}
    return {
        key: median(found) if "_iterations_" in key else fmean(found)
        for key, found in values.items()
    }


def score_pictures(
    pairs: Iterable[tuple[Tensor, Tensor]], style: Tensor, features: VGG16Features
) -> Scores:
    """The mean scores of pairs of a stylized picture and its photo."""
    scorer = Scorer(style, features)
    return mean_scores([scorer(*pair) for pair in pairs])


@torch.no_grad()
def score(
    network: TransformerNet, photos: Iterable[Tensor], style: Tensor, features: VGG16Features
) -> Scores:
    """The mean scores of ``network`` over ``photos``, each (3, H, W) in [0, 1].

    Its output is clamped as in a picture file.
    """
    device = features.mean.device
    pairs = ((network(photo[None].to(device))[0].float().clamp(0, 1), photo) for photo in photos)
    return score_pictures(pairs, style, features)
