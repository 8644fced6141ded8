"""A training of the real thing, but tiny."""

from hydra.utils import instantiate
from omegaconf import OmegaConf

from fasttransfer.data.style_image import StyleImage
from fasttransfer.losses.objectives import make_objective
from fasttransfer.losses.temporal import TemporalLoss
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.models.vgg import VGG16Features
from fasttransfer.training.module import StyleTraining


def tiny_training(
    averaged_part: float = 0.05, temporal: TemporalLoss | None = None, strength: float = 1
) -> StyleTraining:
    return StyleTraining(
        TransformerNet([4], 1, 3, 1, False),
        make_objective("balanced", VGG16Features("bundled")),
        StyleImage("mosaic", size=64, name=None, license=None, strength=strength),
        instantiate(OmegaConf.create({"_target_": "torch.optim.Adam", "_partial_": True})),
        instantiate(OmegaConf.create({"_target_": "torch.optim.lr_scheduler.OneCycleLR",
                                      "_partial_": True, "max_lr": 1e-3})),
        temporal=temporal,
        averaged_part=averaged_part,
        compile=False,
    )  # fmt: skip
