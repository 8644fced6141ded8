"""Networks of the presets with random weights, which change the picture but not the time."""

import torch
from omegaconf import OmegaConf
from torch import nn

from fasttransfer.core.assets import CONF_DIR
from fasttransfer.models.transformer_net import ConvNorm, InstanceNorm, TransformerNet


def network_of(preset: str) -> TransformerNet:
    """In the shape of conf/network/PRESET.yaml."""
    settings = OmegaConf.to_container(OmegaConf.load(CONF_DIR / "network" / f"{preset}.yaml"))
    assert isinstance(settings, dict)
    torch.manual_seed(0)
    arguments = {str(key): value for key, value in settings.items() if key != "_target_"}
    return TransformerNet(**arguments).eval().requires_grad_(False)


def plain_johnson() -> TransformerNet:
    """The johnson network as people have it, with the instance norm of PyTorch."""
    network = network_of("johnson")
    for part in [module for module in network.modules() if isinstance(module, ConvNorm)]:
        own = part[1]
        assert isinstance(own, InstanceNorm)
        part[1] = nn.InstanceNorm2d(own.num_features, affine=True)
    return network.eval().requires_grad_(False)
