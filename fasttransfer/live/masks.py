"""Masks of a camera's frames: a still, or where there is a person."""

from pathlib import Path

import numpy as np
from PIL import Image

from ..core.errors import FastTransferError
from ..core.paths import expand_user, is_file
from ..images.masks import Mask, inverted
from ..pipeline.jobs import Job
from ..pipeline.mask_layers import open_layers
from ..stylizing.person import PersonModel
from ..stylizing.settings import PERSON, MaskSettings

MAX_PIXELS = 200_000_000  # of a still, as in conf/infer


class CameraMasks:
    """Gives each frame its mask.

    Args:
        settings: where masks come from.

    Raises:
        FastTransferError: there is no such mask, or one that a camera cannot have.
    """

    def __init__(self, settings: MaskSettings) -> None:
        if settings.regions:
            raise FastTransferError(
                "mask.regions=true (--regions) is for pictures and videos; a camera shows one style"
            )
        self._feather = settings.feather
        self._model: PersonModel | None = None
        self._invert = settings.invert
        stills: list[Image.Image] = []
        for name, path in (("mask", settings.path), ("strength", settings.strength)):
            layers = open_layers(name, path, MAX_PIXELS, settings.model)
            if layers is None:
                continue
            if path not in (None, PERSON) and not is_file(expand_user(path)):
                raise FastTransferError(
                    f"{name}={path} is no still; a camera takes a still or person"
                )
            layer = layers.of_file(Job(Path("the camera"), Path()))
            if isinstance(layer, PersonModel):
                self._model = layer
            elif isinstance(layer, Path):
                raise FastTransferError(
                    f"{name}={path} is a video; a camera takes a still or person"
                )
            else:
                stills.append(inverted(layer) if settings.invert and name == "mask" else layer)
        self._stills = tuple(stills)
        self._still = Mask(self._stills, self._feather) if stills else None

    def __call__(self, pixels: np.ndarray) -> Mask | None:
        """The mask of RGB bytes (H, W, 3); None: all of it is stylized."""
        if self._model is None:
            return self._still
        found = self._model(Image.fromarray(pixels))
        layer = inverted(found) if self._invert else found
        return Mask((layer, *self._stills), self._feather)
