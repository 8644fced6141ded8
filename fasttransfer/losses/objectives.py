"""The named sets of loss settings in ``conf/loss``."""

from hydra.utils import instantiate
from omegaconf import OmegaConf

from ..core.assets import CONF_DIR
from ..models.vgg import VGG16Features
from .perceptual import PerceptualLoss

OBJECTIVES = ("balanced", "johnson")


def make_objective(name: str, features: VGG16Features) -> PerceptualLoss:
    """The loss that ``conf/loss/NAME.yaml`` describes."""
    objective: PerceptualLoss = instantiate(
        OmegaConf.load(CONF_DIR / "loss" / f"{name}.yaml"), features=features, _convert_="all"
    )
    return objective
