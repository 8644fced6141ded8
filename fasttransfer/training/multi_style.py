"""The base: a network trained for many styles at once, from which that of a new painting starts.

``python train.py experiment=base training.styles.paintings=FOLDER`` is an ordinary run, but every step
has another style. The kernels are shared by all of them, while scales and shifts of the norms and the
biases of the output are each style's own (Dumoulin et al. 2017, arXiv:1610.07629), so that kernels come
about which serve any style. The result is plain weights, with the mean of what was each style's own.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import Parameter

from ..core.assets import STYLE_IMAGES
from ..core.errors import FastTransferError
from ..core.paths import expand_user
from ..data.style_image import MAX_PIXELS, bundled_style_images
from ..draw import STYLES, draw
from ..images.folders import pictures_below
from ..images.reading import open_rgb
from ..images.sizes import resized
from ..images.tensors import to_tensor
from ..losses.perceptual import PerceptualLoss
from ..losses.style_target import StyleTarget
from ..losses.temporal import TemporalLoss
from ..models.transformer_net import TransformerNet
from .module import StyleTraining

_DRAWN_AT = 768  # pixels a side
_LAST_SEED = 10_000
_PART = (0.6, 1.0)  # of each side, that a variant keeps
_SCALE = (0.7, 1.4)


class ManyStyles:
    """The style images of a base.

    Args:
        paintings: a folder of style images, beside the bundled ones; None for these alone.
        held_out: names of paintings and drawn styles that are left out, so that the base can be tried
            on them.
        drawn: pictures of each drawn style beside the bundled one.
        variants: of each of all these, with the scale, the part and the hue changed.
        mixtures: of two of all these with their variants, half of each.
        size: longer side in pixels, before it is changed.
        seed: of everything random.

    Raises:
        FastTransferError: a folder or a name does not exist.
    """

    def __init__(
        self,
        paintings: str | None,
        held_out: Sequence[str],
        drawn: int,
        variants: int,
        mixtures: int,
        size: int,
        seed: int,
    ) -> None:
        self.files = [STYLE_IMAGES / f"{name}.jpg" for name in bundled_style_images()]
        if paintings is not None:
            folder = expand_user(paintings)
            if not folder.is_dir():
                raise FastTransferError(
                    f"There is no folder '{paintings}'; give training.styles.paintings a folder of "
                    "paintings."
                )
            self.files += pictures_below(folder)
        names = [file.stem for file in self.files]
        if unknown := set(held_out) - {*names}:
            raise FastTransferError(
                f"There is no {', '.join(sorted(unknown))} to hold out; training.styles.held_out takes "
                f"{', '.join(names)}."
            )
        self.held_out = {*held_out}
        self.drawn = drawn
        self.variants = variants
        self.mixtures = mixtures
        self.size = size
        self.seed = seed

    def images(self) -> Iterator[Tensor]:
        """Each style image (1, 3, H, W) in [0, 1], with its variants behind it."""
        rng = np.random.default_rng((self.seed, 0))
        for picture in self.pictures():
            yield to_tensor(resized(picture, self.size))[None]
            for _ in range(self.variants):
                yield varied(picture, self.size, rng)

    def pictures(self) -> Iterator[Image.Image]:
        """Without variants."""
        for file in self.files:
            if file.stem not in self.held_out:
                yield open_rgb(file, max_pixels=MAX_PIXELS)
        rng = np.random.default_rng((self.seed, 1))
        for name in STYLES:
            seeds = rng.integers(_LAST_SEED, size=self.drawn)
            if name not in self.held_out:
                yield from (draw(name, _DRAWN_AT, int(seed)) for seed in seeds)

    def targets(self, loss: PerceptualLoss) -> list[StyleTarget]:
        """What ``loss`` compares with: styles, then mixtures."""
        found = [loss.target(image) for image in self.images()]
        rng = np.random.default_rng((self.seed, 2))
        pairs = [rng.integers(len(found), size=2) for _ in range(self.mixtures)]
        return found + [found[one].mixed_with(found[other]) for one, other in pairs]


class BaseTraining(StyleTraining):
    """Trains one network for many styles.

    Args:
        styles: the training styles; ``style`` is only the one for pictures and scores.

    The other arguments are those of ``StyleTraining``.

    Raises:
        FastTransferError: a temporal loss, or what ``StyleTraining`` raises.
    """

    def __init__(self, styles: ManyStyles, temporal: TemporalLoss | None, **training: Any) -> None:
        if temporal is not None:
            raise FastTransferError("A base is trained without training.temporal; leave it null.")
        super().__init__(temporal=None, **training)
        self.targets = styles.targets(self.loss)
        self.names = [name for name, value in self.network.named_parameters() if value.ndim == 1]
        self.own = self._each_its_own(self.network)

    @property
    def trainable(self) -> Iterable[Parameter]:
        """The shared kernels, and what is each style's own."""
        kernels = (value for value in self.network.parameters() if value.ndim > 1)
        return chain(kernels, self.own.parameters())

    def start_from(self, network: TransformerNet) -> None:
        """Every style starts with the same weights."""
        super().start_from(network)
        self.own = self._each_its_own(network)

    def _each_its_own(self, network: TransformerNet) -> nn.ParameterList:
        values = dict(network.named_parameters())
        start = [values[name].detach() for name in self.names]
        # Style by style in one list, as PyTorch's own types know no list of lists.
        return nn.ParameterList(Parameter(value.clone()) for _ in self.targets for value in start)

    def on_fit_start(self) -> None:
        """As ``StyleTraining``'s.

        Raises:
            FastTransferError: several devices, which would wait for the gradients of all styles.
        """
        if self.trainer.world_size > 1:
            raise FastTransferError(
                f"A base is trained on one device, not {self.trainer.world_size}, as its styles take "
                "turns; use trainer=auto."
            )
        super().on_fit_start()

    def terms(self, content: Tensor, first_crop: int) -> dict[str, Tensor]:
        """As ``StyleTraining``'s, for the style whose turn it is."""
        number = self.turn(first_crop // len(content))
        target = self.targets[number].to(content.device)
        first = number * len(self.names)
        own = {name: self.own[first + place] for place, name in enumerate(self.names)}
        stylized = functional_call(self.network, own, content)
        terms: dict[str, Tensor] = self.loss(stylized, content, target, first_crop)
        return terms

    def turn(self, step: int) -> int:
        """The number of the style in ``step``: each comes once before one comes again."""
        epoch, place = divmod(step, len(self.targets))
        return int(np.random.default_rng((2, epoch)).permutation(len(self.targets))[place])

    @torch.no_grad()
    def average(self) -> None:
        """Gives the network the mean of what is the styles' own, and averages."""
        own = list(self.own)
        for place, name in enumerate(self.names):
            mean = torch.stack(own[place :: len(self.names)]).mean(dim=0)
            self.network.get_parameter(name).copy_(mean)
        super().average()


def varied(picture: Image.Image, size: int, rng: np.random.Generator) -> Tensor:
    """A part of a style image with rotated hues, larger or smaller.

    (1, 3, H, W) in [0, 1]; as a whole and unchanged it would have a longer side of ``size`` pixels.
    """
    width, height = (round(side * rng.uniform(*_PART)) for side in picture.size)
    left, top = (rng.integers(picture.width - width + 1), rng.integers(picture.height - height + 1))
    part = picture.crop((int(left), int(top), int(left) + width, int(top) + height))
    scale = float(np.exp(rng.uniform(*np.log(_SCALE)))) * max(part.size) / max(picture.size)
    image = to_tensor(resized(part, round(size * scale)))[None]
    return turned(image, rng.uniform(0, 2 * math.pi))


def turned(image: Tensor, angle: float) -> Tensor:
    """Colors (1, 3, H, W) in [0, 1] rotated around the gray axis by ``angle`` in radians.

    A third of a turn makes red green; what leaves [0, 1] is clamped.
    """
    across = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    turn = math.cos(angle) * torch.eye(3) + (1 - math.cos(angle)) / 3
    turn += math.sin(angle) / 3**0.5 * across
    return torch.einsum("oc,bchw->bohw", turn, image).clamp(0, 1)
