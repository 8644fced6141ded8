"""The loss network: VGG16 (Simonyan & Zisserman 2014, arXiv:1409.1556), frozen.

Only its convolutions up to conv4_3 are used, built from torchvision's own layers. The weights
are the original Caffe ones, which expect RGB in [0, 1] less a mean, times 255.
"""

import contextlib
import urllib.error
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import VGG16_Weights
from torchvision.models.vgg import cfgs, make_layers

from ..core.assets import VGG_WEIGHTS
from ..core.errors import FastTransferError
from ..core.hardware import prefers_channels_last
from .torch_files import read_torch_file

LEAST_SIDE = 8  # pixels: after three halvings there is one left for the layers up to relu4_3

# Where each named activation leaves torchvision's ``vgg16().features``: the index of its ReLU.
LAYERS = {
    "relu1_1": 1,
    "relu1_2": 3,
    "relu2_1": 6,
    "relu2_2": 8,
    "relu3_1": 11,
    "relu3_2": 13,
    "relu3_3": 15,
    "relu4_1": 18,
    "relu4_2": 20,
    "relu4_3": 22,
}


class VGG16Features(nn.Module):
    """Named activations of a frozen VGG16.

    Args:
        weights: ``"bundled"`` (in the package, float16), ``"torchvision"`` (528 MB, downloaded once
            by torchvision) or the path of a ``.safetensors`` or ``.pth`` state dict with
            torchvision's key names and the same input normalization.
    """

    mean: Tensor

    def __init__(self, weights: str) -> None:
        super().__init__()
        depth = max(LAYERS.values()) + 1
        with torch.device("meta"):  # nothing to initialize: every weight is loaded below
            self.features = make_layers(cfgs["D"], batch_norm=False)[:depth]
        state = {
            key: value.float()
            for key, value in load_vgg_weights(weights).items()
            if key.startswith("features.") and int(key.split(".")[1]) < depth
        }
        try:
            self.load_state_dict(state, assign=True)
        except RuntimeError as error:
            raise FastTransferError(
                f"The VGG16 weights '{weights}' do not fit torchvision's vgg16 up to conv4_3; "
                "give its state dict (keys features.0.weight …), or use vgg.weights=bundled."
            ) from error
        self.register_buffer(
            "mean", torch.tensor([0.48235, 0.45882, 0.40784]).view(1, 3, 1, 1), persistent=False
        )
        self.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        self._seen: list[tuple[Tensor, dict[str, Tensor]]] | None = None
        self._cast: dict[tuple[torch.dtype, torch.device], list[tuple[Tensor, Tensor]]] = {}

    def forward(self, images: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Computes no deeper than the deepest layer asked for.

        Args:
            images: float RGB in [0, 1], (B, 3, H, W).
            layers: names such as ``"relu2_2"``.

        Returns:
            For each name (B, C, H / s, W / s): s = 1, 2, 4, 8 and C = 64, 128, 256, 512 for
            the blocks 1 to 4.
        """
        if self._seen is None or torch.is_grad_enabled():
            return self._activations(images, layers)
        names = [*layers]
        for seen, found in self._seen:
            if (
                {*names} <= found.keys()
                and seen.shape == images.shape
                and torch.equal(seen, images)
            ):
                return {name: found[name] for name in names}
        self._seen.append((images, self._activations(images, names)))
        return self._seen[-1][1]

    @contextlib.contextmanager
    def remembering(self) -> Iterator[None]:
        """Within it, activations of equal images are computed once where no gradient is wanted."""
        self._seen = []
        try:
            yield
        finally:
            self._seen = None

    def _activations(self, images: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        wanted = {layer_index(name): name for name in layers}
        activations = {}
        layout = _layout(images.device)
        features = (images.contiguous(memory_format=layout) - self.mean) * 255
        weights = iter(self._weights())
        for index, layer in enumerate(self.features[: max(wanted) + 1]):
            if isinstance(layer, nn.Conv2d):
                features = F.conv2d(features, *next(weights), padding=layer.padding)
            else:
                features = layer(features)
            if index in wanted:
                activations[wanted[index]] = features
        return activations

    def _weights(self) -> list[tuple[Tensor, Tensor]]:
        """Kernel and bias of each convolution, as autocast wants them: cast once, not in each pass."""
        layers = [layer for layer in self.features if isinstance(layer, nn.Conv2d)]
        device = self.mean.device
        dtype = layers[0].weight.dtype
        if torch.is_autocast_enabled(device.type):
            dtype = torch.get_autocast_dtype(device.type)
        key = (dtype, device)
        if key not in self._cast:
            self._cast[key] = [
                (
                    layer.weight.detach().to(dtype).contiguous(memory_format=_layout(device)),
                    layer.get_parameter("bias").detach().to(dtype),
                )
                for layer in layers
            ]
        return self._cast[key]


def _layout(device: torch.device) -> torch.memory_format:
    """Of images and kernels there: frozen and without norms, the network keeps it from end to end."""
    return torch.channels_last if prefers_channels_last(device) else torch.contiguous_format


def layer_index(name: str) -> int:
    """Position of a named activation; a ``FastTransferError`` lists the names where it has none."""
    if name not in LAYERS:
        raise FastTransferError(
            f"VGG16 has no layer '{name}' here; choose from {', '.join(LAYERS)}."
        )
    return LAYERS[name]


def load_vgg_weights(weights: str) -> dict[str, Tensor]:
    """State dict of the features for what ``VGG16Features`` calls ``weights``."""
    if weights == "bundled":
        return load_file(VGG_WEIGHTS)
    if weights == "torchvision":
        try:
            return dict(VGG16_Weights.IMAGENET1K_FEATURES.get_state_dict(progress=True))
        except (urllib.error.URLError, OSError, RuntimeError) as error:
            raise FastTransferError(
                f"torchvision could not download its VGG16 weights ({error}); "
                "use vgg.weights=bundled, which needs no network."
            ) from error
    path = Path(weights)
    if not path.is_file():
        raise FastTransferError(
            f"There are no VGG16 weights '{weights}'; give bundled, torchvision or the path of a "
            ".safetensors or .pth file."
        )
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = read_torch_file(path)
        if not isinstance(found, dict):
            raise ValueError("no state dict")
        return {name: value for name, value in found.items() if isinstance(value, Tensor)}
    except Exception as error:  # damaged archives raise nearly anything
        raise FastTransferError(
            f"The VGG16 weights '{weights}' cannot be read ({type(error).__name__}); give a "
            ".safetensors file or a state dict saved by torch.save."
        ) from error
