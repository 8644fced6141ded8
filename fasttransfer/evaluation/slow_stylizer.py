"""The slow method as a stylizer: a painting instead of a trained style."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from torch import Tensor

from ..core.displays import display_on
from ..core.hardware import pick_device
from ..data.style_image import StyleImage
from ..images.tensors import from_bytes, resize, resize_to, to_bytes
from ..images.writing import write_picture
from ..losses.objectives import make_objective
from ..losses.perceptual import StyleObjective
from ..models.style_file import safe_name
from ..models.vgg import VGG16Features
from ..stylizing.settings import StylizerSettings
from ..stylizing.stylizer import Stylizer
from .slow_method import first_picture, optimize, sizes
from .slow_settings import ObjectiveSettings, PixelSettings


class PixelOptimizer:
    """The slow method as an engine (see ``engine.Engine``): photos in, stylized pictures out.

    Args:
        objective: of the style; its device is used.
        settings: see there.
    """

    name = "optimize"
    precision = "float32"

    def __init__(self, objective: StyleObjective, settings: PixelSettings) -> None:
        self.objective = objective
        self.device = objective.loss.features.mean.device
        self.settings = settings
        self._console = Console(stderr=True, highlight=False)
        self._numbers = itertools.count(1)

    def __call__(self, photos: Tensor) -> Tensor:
        """Float RGB (B, 3, H, W) in [0, 1] to the same, one after another."""
        with torch.inference_mode(False), torch.enable_grad():
            return torch.cat([self._one(photo[None].clone()) for photo in photos])

    def frames(self, frames: np.ndarray) -> np.ndarray:
        """RGB bytes (B, H, W, 3) to RGB bytes."""
        return to_bytes(self(from_bytes(torch.from_numpy(frames)))).contiguous().numpy()

    def _one(self, photo: Tensor) -> Tensor:
        number = next(self._numbers)
        height, width = photo.shape[-2:]
        levels = sizes(height, width, self.settings.coarsest)
        picture: Tensor | None = None
        with display_on(self._console, transient=False) as display:
            task = display.add("optimizing", self.settings.iterations * len(levels), "iterations")
            for size in levels:
                content = photo if size == levels[-1] else resize(photo[0], size)[None]
                if picture is None:
                    picture = first_picture(self.settings.start, content)
                picture = resize_to(picture[0], *content.shape[-2:])[None]
                steps = optimize(picture, content, self.objective, self.settings)
                for iteration, (picture, total) in enumerate(steps, 1):
                    task.note = f"{size} px, objective {total:.4g}"
                    display.update(task, task.done + 1)
                    self._keep(picture, f"{number:04}-{size:05}px-{iteration:05}.png", iteration)
        assert picture is not None
        return picture

    def _keep(self, picture: Tensor, name: str, iteration: int) -> None:
        folder = self.settings.intermediate
        if folder is not None and iteration % self.settings.every == 0:
            write_picture(Path(folder) / name, picture[0].cpu(), None, quality=95)


class SlowStylizer(Stylizer):
    """A ``Stylizer`` that takes a painting instead of a trained style.

    Args:
        style: a picture file or the name of a bundled style image.
        style_size: longer side in pixels at which it is looked at; sets the size of strokes.
        settings: see ``Stylizer``; ``stroke_size`` is not used.
        objective: what is minimized.
        pixels: how it is minimized.
        device: ``auto``, ``cpu``, ``cuda``, …

    Raises:
        FastTransferError: a device that cannot be used, or a picture that cannot be read.
    """

    def __init__(
        self,
        style: str,
        style_size: int,
        settings: StylizerSettings,
        objective: ObjectiveSettings,
        pixels: PixelSettings,
        device: str,
    ) -> None:
        self.settings = settings
        image = StyleImage(style, style_size, name=None, license=None, strength=1)
        self.name = image.name
        place = pick_device(device)
        loss = make_objective(objective.loss, VGG16Features(objective.weights)).to(place)
        target = loss.weighted(**objective.chosen_weights()).for_style(image.image.to(place))
        if pixels.intermediate is not None:  # a folder for each painting
            folder = Path(pixels.intermediate).expanduser() / safe_name(self.name)
            pixels = replace(pixels, intermediate=str(folder))
        self.engine = PixelOptimizer(target, pixels)

    @property
    def bytes_per_pixel(self) -> None:
        """Tiles of an optimized picture would not agree, so there are none."""
