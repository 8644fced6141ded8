"""Picture files as tensors, see ``tensors``; ``decoding`` knows the odd kinds of files there are."""

from dataclasses import dataclass, replace

from PIL import Image
from torch import Tensor

from .decoding import Openable, open_image
from .masks import Mask
from .metadata import NO_METADATA, Metadata
from .tensors import resize_to, to_tensor


@dataclass(frozen=True)
class Picture:
    """One picture, float32 in [0, 1].

    ``rgb`` is (3, H, W), ``alpha`` (1, H, W) where it is not opaque; ``notes``, ``damage`` and
    ``metadata`` are those of ``Decoded``. Where there is a ``mask``, the style gets its weights.
    """

    rgb: Tensor
    alpha: Tensor | None
    notes: tuple[str, ...] = ()
    damage: str | None = None
    metadata: Metadata = NO_METADATA
    mask: Mask | None = None

    def with_rgb(self, rgb: Tensor) -> "Picture":
        """The same picture in other colors, (3, h, w); alpha follows if the size is another."""
        alpha = self.alpha
        if alpha is not None and alpha.shape[-2:] != rgb.shape[-2:]:
            alpha = resize_to(alpha, rgb.shape[-2], rgb.shape[-1])
        return replace(self, rgb=rgb, alpha=alpha)


def open_rgb(path: Openable, *, max_pixels: int, min_side: int | None = None) -> Image.Image:
    """Like ``open_image``, always in mode RGB: what is transparent becomes white.

    Damaged files are errors.
    """
    image = open_image(path, max_pixels=max_pixels, min_side=min_side).image
    return image if image.mode == "RGB" else on_white(image)


def on_white(image: Image.Image) -> Image.Image:
    """A picture in mode RGBA as RGB: what is transparent becomes white."""
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def read_picture(
    path: Openable, *, max_pixels: int, min_side: int | None = None, damaged_up_to: float = 0.0
) -> Picture:
    """``open_image`` as tensors; a fully opaque alpha is dropped."""
    found = open_image(path, max_pixels=max_pixels, min_side=min_side, damaged_up_to=damaged_up_to)
    tensor = to_tensor(found.image)
    alpha = tensor[3:] if len(tensor) == 4 and bool((tensor[3:] < 1).any()) else None
    return Picture(tensor[:3], alpha, found.notes, found.damage, found.metadata)
