"""What papers print beside their pictures: SSIM, LPIPS, and ArtFID."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics.functional.image import structural_similarity_index_measure
from torchmetrics.image.fid import FrechetInceptionDistance
from torchvision.models import AlexNet_Weights, inception_v3

from ..core.errors import FastTransferError, brief
from ..core.libraries import is_installed, require
from ..core.paths import expand_user, is_file
from ..models.torch_files import read_torch_file
from .scores import Scores

EXTRA = "metrics"
SMALLEST_SSIM = 11  # pixels a side: the window of Wang et al. 2004
SMALLEST_LPIPS = 64  # below that AlexNet has no positions left
SMALLEST_INCEPTION = 75
FEATURES = 2048  # of Inception v3 before its classes


@dataclass(frozen=True)
class MetricSettings:
    """The weights for scores that papers print; none is ever downloaded.

    Attributes:
        lpips: AlexNet's weights, torchvision's state dict; ``auto`` takes those in torchvision's cache
            if they are there, and None does without.

    Raises:
        FastTransferError: a file that is not there, or the extra that reads it is not installed.
    """

    lpips: str | None

    def __post_init__(self) -> None:
        if self.lpips not in (None, "auto"):
            check_weights("metrics.lpips", str(self.lpips))
            require("lpips", EXTRA, "LPIPS")

    def alexnet(self) -> Path | None:
        """The file with AlexNet's weights, if there is one and the library that uses them."""
        if self.lpips is None or not is_installed("lpips"):
            return None
        path = _cached_alexnet() if self.lpips == "auto" else expand_user(self.lpips)
        return path if is_file(path) else None


class FieldMetrics:
    """Compares stylized pictures with their photos.

    Args:
        settings: see there.
        device: for the networks.

    Attributes:
        names: of the scores.
    """

    def __init__(self, settings: MetricSettings, device: torch.device) -> None:
        alexnet = settings.alexnet()
        self.names = {"ssim"} if alexnet is None else {"ssim", "lpips"}
        self._lpips = None if alexnet is None else load_lpips(alexnet).to(device)
        self._device = device

    @torch.no_grad()
    def __call__(self, stylized: Tensor, photo: Tensor) -> Scores:
        """The scores of one picture and its photo, each (3, H, W) in [0, 1].

        Returns:
            ``ssim`` (Wang et al. 2004; 1 for equal pictures) and, with AlexNet's weights, ``lpips``
            (Zhang et al. 2018; 0 for equal pictures), if the picture is large enough.
        """
        pair = stylized[None].to(self._device).float(), photo[None].to(self._device).float()
        side = min(photo.shape[1:])
        found: Scores = {}
        if side >= SMALLEST_SSIM:
            similarity = structural_similarity_index_measure(*pair, data_range=1.0)
            assert isinstance(similarity, Tensor)  # a pair of them only for return_full_image
            found["ssim"] = similarity.item()
        if self._lpips is not None and side >= SMALLEST_LPIPS:
            found["lpips"] = float(self._lpips(*pair, normalize=True))
        return found


def load_lpips(alexnet: Path) -> Any:
    """LPIPS 0.1 with the linear layers of its library, and AlexNet's weights from a file.

    The library itself would download them, and would run code that a file contains.

    Raises:
        FastTransferError: the file holds other weights.
    """
    lpips = require("lpips", EXTRA, "LPIPS")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torchvision's, about the library's keywords
        distance = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    own = distance.net.state_dict()
    state = _read_weights(alexnet, "metrics.lpips")
    # net.slice3.6.weight there is features.6.weight in torchvision.
    wanted = {name: f"features.{name.split('.', 1)[1]}" for name in own}
    _load(distance.net, {name: state.get(key) for name, key in wanted.items()}, alexnet, "AlexNet")
    return distance.eval().requires_grad_(False)


class ArtFID:
    """How near pictures are to paintings, as distributions of an art classifier's features.

    ArtFID is (1 + LPIPS) · (1 + FID), with the mean LPIPS between pictures and photos and the Fréchet
    distance between pictures and paintings (Wright & Ommer 2022, arXiv:2207.12280). With fewer pictures
    than features (2,048) the distance is too large: compare only what has the same numbers.

    Args:
        weights: ``art_inception.pth``.
        device: for the network.
    """

    def __init__(self, weights: Path, device: torch.device) -> None:
        self._device = device
        self._distance = FrechetInceptionDistance(feature=_ArtInception(weights).to(device))
        self._distance.to(device)

    def __call__(
        self, pictures: Iterable[Tensor], paintings: Iterable[Tensor], lpips: float
    ) -> float:
        """The score of pictures and paintings of any sizes, each (3, H, W) in [0, 1].

        Raises:
            FastTransferError: fewer than two of either that are large enough.
        """
        self._distance.reset()
        counts = [self._add(pictures, real=False), self._add(paintings, real=True)]
        if min(counts) < 2:
            raise FastTransferError(
                f"ArtFID takes two pictures and two paintings of {SMALLEST_INCEPTION} pixels a side or "
                f"more, and there are {counts[0]} and {counts[1]}; leave out artfid=."
            )
        return (1 + lpips) * (1 + float(self._distance.compute()))

    @torch.no_grad()
    def _add(self, images: Iterable[Tensor], real: bool) -> int:
        number = 0
        for image in images:
            if min(image.shape[1:]) >= SMALLEST_INCEPTION:
                self._distance.update(image[None].to(self._device).float(), real=real)
                number += 1
        return number


class _ArtInception(nn.Module):
    """torchvision's Inception v3 up to its pooled features, (B, 3, H, W) in [0, 1] → (B, 2048)."""

    num_features = FEATURES  # torchmetrics would find out by a picture of its own

    def __init__(self, weights: Path) -> None:
        super().__init__()
        with torch.device("meta"):
            network = inception_v3(weights=None, init_weights=False, transform_input=False)
        network.AuxLogits, network.fc = None, nn.Identity()
        state = _read_weights(weights, "artfid")
        own = {name: state.get(name) for name in network.state_dict()}
        _load(network, own, weights, "art_inception.pth")
        self.network = network.eval()

    def forward(self, images: Tensor) -> Tensor:
        """The features."""
        found: Tensor = self.network(images)
        return found


def check_weights(name: str, value: str) -> None:
    """Raises FastTransferError where the file that a setting names is not there."""
    if not is_file(expand_user(value)):
        raise FastTransferError(
            f"{name}={value} is not a file; give the weights, or null to do without them."
        )


def _cached_alexnet() -> Path:
    name = AlexNet_Weights.IMAGENET1K_V1.url.rpartition("/")[2]
    return Path(torch.hub.get_dir()) / "checkpoints" / name


def _read_weights(path: Path, name: str) -> dict[str, Any]:
    try:
        found = read_torch_file(path)
        if not isinstance(found, dict):
            raise ValueError("no state dict")
        return found
    except Exception as error:  # damaged archives raise nearly anything
        raise FastTransferError(
            f"{name}={path} cannot be read ({type(error).__name__}: {brief(error)[:80]}); give a state "
            "dict as torch.save writes it."
        ) from error


def _load(network: nn.Module, state: Mapping[str, Any], path: Path, name: str) -> None:
    """Puts weights into a network; all of them must be there and fit."""
    found = {key: value for key, value in state.items() if isinstance(value, Tensor)}
    try:
        network.load_state_dict(found, assign=True)
    except RuntimeError as error:
        raise FastTransferError(
            f"'{path}' does not hold the weights of {name} ({brief(error)[:80]}); give the "
            "original file."
        ) from error
