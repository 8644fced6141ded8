"""Masks of a camera's frames and of photos: a still, where there is a person, or a photo's own."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from ..core.errors import FastTransferError
from ..core.paths import expand_user, is_file
from ..images.masks import Mask, inverted
from ..pipeline.jobs import Job
from ..pipeline.mask_layers import open_layers
from ..stylizing.person import PersonModel, find_person_model
from ..stylizing.settings import ALPHA, PERSON, MaskSettings

MAX_PIXELS = 200_000_000  # of a still, as in conf/infer
NO_MASK, STILL = "none", "still"


class CameraMasks:
    """The masks that a page may choose from.

    Args:
        settings: the mask at the start, and what else it may be.

    Attributes:
        offered: names with what a person reads: ``none``; ``still``, if a still was given; ``person``,
            if there is a model; and ``alpha``, which is for photos alone.
        first: the one at the start.

    Raises:
        FastTransferError: there is no such mask, or one that a camera cannot have.
    """

    def __init__(self, settings: MaskSettings) -> None:
        if settings.regions:
            raise FastTransferError(
                "mask.regions=true (--regions) is for pictures and videos; a camera shows one style"
            )
        self._settings = settings
        self._strength = _still("strength", settings.strength)
        self._still: Image.Image | None = None
        self._model: PersonModel | None = None
        self._lock = threading.Lock()  # while the model is loaded
        self.first = NO_MASK
        if settings.path == PERSON:
            self.first = PERSON
            self._person()
        elif settings.path is not None:
            self.first = STILL
            self._still = _still("mask", settings.path)
        self.offered = {NO_MASK: "No mask"}
        if self._still is not None:
            self.offered[STILL] = f"Mask {Path(str(settings.path)).name}"
        if self._has_model():
            self.offered[PERSON] = "Persons"
        self.offered[ALPHA] = "Opaque parts of photos"

    def __call__(self, pixels: np.ndarray, name: str, invert: bool) -> Mask | None:
        """The mask of RGB bytes (H, W, 3); None: all of it is stylized.

        Args:
            pixels: a frame.
            name: of ``offered``; a frame has no alpha, so ``alpha`` is none.
            invert: white and black exchanged.

        Raises:
            FastTransferError: the model of persons cannot be loaded or run.
        """
        layers: list[Image.Image] = []
        if name == STILL and self._still is not None:
            layers.append(self._still)
        elif name == PERSON:
            layers.append(self._person()(Image.fromarray(pixels)))
        layers = [inverted(layer) if invert else layer for layer in layers]
        if self._strength is not None:
            layers.append(self._strength)
        return Mask(tuple(layers), self._settings.feather) if layers else None

    def settings(self, name: str, invert: bool) -> MaskSettings:
        """What a photo is masked with."""
        path = {STILL: self._settings.path, PERSON: PERSON, ALPHA: ALPHA}.get(name)
        model = self._settings.model if name == PERSON else None
        return replace(self._settings, path=path, model=model, invert=invert and path is not None)

    def _has_model(self) -> bool:
        try:
            return is_file(find_person_model(self._settings.model))
        except FastTransferError:
            return False

    def _person(self) -> PersonModel:
        """The model of persons, loaded when it is first wanted."""
        with self._lock:
            if self._model is None:
                self._model = PersonModel(find_person_model(self._settings.model))
            return self._model


def _still(name: str, path: str | None) -> Image.Image | None:
    layers = open_layers(name, path, MAX_PIXELS)
    if layers is None or path is None:
        return None
    if not is_file(expand_user(path)):
        raise FastTransferError(f"{name}={path} is no still; a camera takes a still or person")
    layer = layers.of_file(Job(Path("the camera"), Path()))
    if not isinstance(layer, Image.Image):
        raise FastTransferError(f"{name}={path} is a video; a camera takes a still or person")
    return layer
