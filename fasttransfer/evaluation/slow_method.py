"""The slow method of Gatys et al. 2016, "Image Style Transfer Using Convolutional Neural Networks"
(CVPR, doi:10.1109/CVPR.2016.265): no network is trained, the picture's own pixels are optimised.

It takes minutes a picture and gives the best that an objective can give: a feature for one picture
that matters, and the limit that a trained network is measured by.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from ..core.errors import FastTransferError
from ..core.hardware import pick_device
from ..data.style_image import StyleImage
from ..images.tensors import from_bytes, resize, resize_to, to_bytes
from ..images.writing import write_picture
from ..losses.objectives import OBJECTIVES, make_objective
from ..losses.perceptual import StyleObjective
from ..models.style_file import safe_name
from ..models.vgg import LEAST_SIDE, VGG16Features
from ..stylizing.settings import StylizerSettings
from ..stylizing.stylizer import Stylizer

STARTS = ("photo", "noise")
METHODS = ("lbfgs", "adam")
_NOISE_SEED = 0  # the same photo gives the same picture
_FIRST_STEP = 0.03  # mean change of colours in [0, 1] along the first gradients of L-BFGS


def optimize(
    picture: Tensor,
    content: Tensor,
    objective: StyleObjective,
    method: str,
    iterations: int,
    history: int,
    lr: float,
) -> Iterator[tuple[Tensor, float]]:
    """Changes a picture until ``objective`` is low. Its colours are brought back to [0, 1] after each
    iteration, as in section 4.1 of Johnson et al. 2016: a picture file holds no others, and to give
    them up at the end would cost what was gained by them.

    Args:
        picture: where to start, float RGB (1, 3, H, W); it is left as it is.
        content: the photo, (1, 3, H, W) in [0, 1].
        objective: of the style.
        method: ``lbfgs`` or ``adam``.
        iterations: how many.
        history: of L-BFGS, how many steps it remembers.
        lr: of Adam, in colours of [0, 1] a step; L-BFGS finds its own.

    Yields:
        After each iteration the picture, in [0, 1], which goes on changing, and the loss before the
        iteration.
    """
    picture = picture.clone(memory_format=torch.contiguous_format).requires_grad_(True)
    activations = objective.loss.content_activations(content)
    scale = 1.0

    def evaluate() -> float:
        optimizer.zero_grad()
        total = objective(picture, content, activations=activations)["total"] * scale
        torch.autograd.backward(total)
        return total.item()

    optimizer: torch.optim.Optimizer
    if method == "adam":
        optimizer = torch.optim.Adam([picture], lr=lr)
    else:  # one iteration a step, so that each can be looked at
        # Until it knows a curvature, PyTorch's L-BFGS steps along the bare gradient, which johnson's
        # loss, in millions, would throw out of all colours and never bring back.
        (gradient,) = torch.autograd.grad(
            objective(picture, content, activations=activations)["total"], picture
        )
        scale = _FIRST_STEP / (gradient.abs().mean().item() or 1)
        optimizer = torch.optim.LBFGS(
            [picture],
            max_iter=1,
            history_size=history,
            tolerance_grad=0,
            tolerance_change=0,
        )
    for _ in range(iterations):
        total = float(optimizer.step(evaluate)) / scale  # type: ignore[no-untyped-call, unused-ignore]
        if not np.isfinite(total):
            raise FastTransferError(
                "the loss is no longer a number; choose a smaller stylizer.lr, or other weights"
            )
        with torch.no_grad():
            picture.clamp_(0, 1)
        yield picture.detach(), total


def first_picture(start: str, content: Tensor) -> Tensor:
    """Where the slow method starts: the ``photo`` (B, 3, H, W) itself or white ``noise`` around grey
    of the same shape, always the same."""
    if start == "photo":
        return content.clone()
    generator = torch.Generator().manual_seed(_NOISE_SEED)
    noise = torch.randn(content.shape, generator=generator).to(content.device)
    return (0.5 + 0.1 * noise).clamp(0, 1)


def sizes(height: int, width: int, coarsest: int) -> list[int]:
    """Longer sides from coarse to fine, each about double the one before, ending at the picture's own:
    strokes that are large in the picture are laid out while it is small (Gatys et al. 2017,
    arXiv:1611.07865).

    Raises:
        FastTransferError: the picture is too thin for VGG16.
    """
    shorter_side, longer_side = sorted((height, width))
    if shorter_side < LEAST_SIDE:
        raise FastTransferError(
            f"a picture of {width}×{height} pixels is too small for stylizer=optimize, which needs "
            f"{LEAST_SIDE} a side"
        )
    coarsest = max(coarsest, math.ceil((LEAST_SIDE + 1) * longer_side / shorter_side))
    found = [longer_side]
    while found[0] / 2 >= coarsest:
        found.insert(0, round(found[0] / 2))
    return found


class PixelOptimizer:
    """The slow method as an engine (see ``engine.Engine``): photos in, stylized pictures out.

    Args:
        objective: of the style; its device is used.
        method, iterations, history, lr: see ``optimize``; iterations at each size.
        start: ``photo`` or ``noise``.
        coarsest: longer side in pixels at which a large picture is begun.
        intermediate: None, or a folder for the picture after every ``every`` iterations.
        every: see there.
    """

    name = "optimize"
    precision = "float32"

    def __init__(
        self,
        objective: StyleObjective,
        method: str,
        iterations: int,
        history: int,
        lr: float,
        start: str,
        coarsest: int,
        intermediate: Path | None,
        every: int,
    ) -> None:
        self.objective = objective
        self.device = objective.loss.features.mean.device
        self.settings = {"method": method, "history": history, "lr": lr, "iterations": iterations}
        self.iterations = iterations
        self.start = start
        self.coarsest = coarsest
        self.intermediate = intermediate
        self.every = every
        self.console = Console(stderr=True, highlight=False)
        self._count = 0

    def __call__(self, photos: Tensor) -> Tensor:
        """Float RGB (B, 3, H, W) in [0, 1] to the same, one after another."""
        with torch.inference_mode(False), torch.enable_grad():
            return torch.cat([self._one(photo[None].clone()) for photo in photos])

    def frames(self, frames: np.ndarray) -> np.ndarray:
        """RGB bytes (B, H, W, 3) to RGB bytes."""
        return to_bytes(self(from_bytes(torch.from_numpy(frames)))).contiguous().numpy()

    def _one(self, photo: Tensor) -> Tensor:
        self._count += 1
        height, width = photo.shape[-2:]
        levels = sizes(height, width, self.coarsest)
        picture: Tensor | None = None
        with self._progress() as bar:
            task = bar.add_task("optimising", total=self.iterations * len(levels), loss="")
            for size in levels:
                content = photo if size == levels[-1] else resize(photo[0], size)[None]
                if picture is None:
                    picture = first_picture(self.start, content)
                picture = resize_to(picture[0], *content.shape[-2:])[None]
                steps = optimize(picture, content, self.objective, **self.settings)  # type: ignore[arg-type]
                for iteration, (picture, total) in enumerate(steps, 1):
                    bar.update(task, advance=1, loss=f"{size} px, objective {total:.4g}")
                    self._keep(picture, size, iteration)
        assert picture is not None
        return picture

    def _keep(self, picture: Tensor, size: int, iteration: int) -> None:
        if self.intermediate is None or iteration % self.every:
            return
        name = f"{self._count:04}-{size:05}px-{iteration:05}.png"
        path = self.intermediate / name
        write_picture(path, picture[0].cpu(), None, quality=95)

    def _progress(self) -> Progress:
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[loss]}"),
            TimeRemainingColumn(),
            console=self.console,
        )


class OptimizingStylizer(Stylizer):
    """A ``Stylizer`` that needs a painting instead of a trained style.

    Args:
        style: a picture file or the name of a bundled style image.
        style_size: longer side in pixels that it is looked at.
        size, color, strength: see ``Stylizer``.
        loss: ``balanced`` or ``johnson``.
        content_weight, style_weight, tv_weight: α, β, γ of the literature; None is the loss's own.
        weights: of the loss network, see ``VGG16Features``.
        device: ``auto``, ``cpu``, ``cuda``, …
        method, iterations, history, lr, start, coarsest, intermediate, every: see
            ``PixelOptimizer``.

    Raises:
        FastTransferError: an argument that cannot be used, or a picture that cannot be read.
    """

    def __init__(
        self,
        style: str,
        style_size: int,
        size: int | None,
        color: str,
        strength: float,
        loss: str,
        content_weight: float | None,
        style_weight: float | None,
        tv_weight: float | None,
        weights: str,
        device: str,
        method: str,
        iterations: int,
        history: int,
        lr: float,
        start: str,
        coarsest: int,
        intermediate: str | None,
        every: int,
    ) -> None:
        self.settings = StylizerSettings(size, color, strength)  # style_size sizes the strokes
        _choose("loss", loss, OBJECTIVES)
        _choose("method", method, METHODS)
        _choose("start", start, STARTS)
        for name, number in {
            "iterations": iterations,
            "history": history,
            "coarsest": coarsest,
            "every": every,
        }.items():
            if not isinstance(number, int) or number < 1:
                raise FastTransferError(
                    f"stylizer.{name}={number} must be a whole number from 1 on"
                )
        given = {"content": content_weight, "style": style_weight, "tv": tv_weight}
        chosen = {name: weight for name, weight in given.items() if weight is not None}
        for name, weight in chosen.items():
            if not isinstance(weight, int | float) or not 0 <= weight < math.inf:
                raise FastTransferError(
                    f"stylizer.{name}_weight={weight} must be a number from 0 on"
                )
        if not isinstance(lr, int | float) or not 0 < lr < math.inf:
            raise FastTransferError(f"stylizer.lr={lr} must be a number above 0")
        image = StyleImage(style, style_size, name=None, license=None, strength=1)
        self.name = image.name
        place = pick_device(device)
        wanted = make_objective(loss, VGG16Features(weights)).to(place).weighted(**chosen)
        objective = wanted.for_style(image.image.to(place))
        folder = None if intermediate is None else Path(intermediate) / safe_name(self.name)
        self.engine = PixelOptimizer(
            objective, method, iterations, history, lr, start, coarsest, folder, every
        )

    @property
    def bytes_per_pixel(self) -> None:
        """Tiles of an optimised picture would not agree, so there are none."""


def _choose(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise FastTransferError(f"stylizer.{name}={value} must be {' or '.join(choices)}")
