"""Pictures in memory and in files.

THE image convention of the package: float32 RGB in [0, 1], (B, 3, H, W) for a batch and (3, H, W)
for one picture, sRGB, upright. Whatever is in a file becomes that here; ``decode`` knows the odd
kinds of files there are.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image, features
from torch import Tensor
from torch.nn import functional as F

from .decode import Openable, brief, open_image
from .errors import FastTransferError
from .files import write_whole

if TYPE_CHECKING:
    from .stylize import Stylizer

WRITERS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
} | ({".avif": "AVIF"} if features.check("avif") else {})

WITHOUT_ALPHA = ("JPEG", "BMP")

# What a folder or a pattern offers as pictures; a file named by itself is always tried. HEIC is
# here although Pillow needs a plug-in for it: such photos are to be named, not passed over.
IMAGE_SUFFIXES = frozenset(WRITERS) | {
    *(".avif", ".dib", ".gif", ".heic", ".heif", ".ico", ".j2k", ".jfif", ".jp2", ".jpe", ".jpx"),
    *(".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga"),
}

LUMA = (0.299, 0.587, 0.114)  # Rec. 601, which is also the Y of YIQ


@dataclass(frozen=True)
class Picture:
    """One picture: ``rgb`` (3, H, W) and, where it is not opaque, ``alpha`` (1, H, W), both float32
    in [0, 1]; ``notes`` say in words what had to be left out while reading it."""

    rgb: Tensor
    alpha: Tensor | None
    notes: tuple[str, ...] = ()

    def with_rgb(self, rgb: Tensor) -> "Picture":
        """The same picture in other colours, (3, h, w); alpha follows if the size is another."""
        alpha = self.alpha
        if alpha is not None and alpha.shape[-2:] != rgb.shape[-2:]:
            alpha = resize_to(alpha, rgb.shape[-2], rgb.shape[-1])
        return replace(self, rgb=rgb, alpha=alpha)

    def stylized(self, stylizer: "Stylizer") -> "Picture":
        """The same picture through ``stylizer``."""
        return self.with_rgb(stylizer(self.rgb))


def open_rgb(path: Openable, *, max_pixels: int, min_side: int | None = None) -> Image.Image:
    """Like ``open_image``, always in mode RGB: what is transparent becomes white."""
    image, _ = open_image(path, max_pixels=max_pixels, min_side=min_side)
    return image if image.mode == "RGB" else on_white(image)


def on_white(image: Image.Image) -> Image.Image:
    """A picture in mode RGBA as RGB: what is transparent becomes white."""
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def read_picture(path: Path, *, max_pixels: int, min_side: int | None = None) -> Picture:
    """``open_image`` as tensors; a fully opaque alpha is dropped."""
    image, notes = open_image(path, max_pixels=max_pixels, min_side=min_side)
    tensor = to_tensor(image)
    alpha = tensor[3:] if len(tensor) == 4 and bool((tensor[3:] < 1).any()) else None
    return Picture(tensor[:3], alpha, notes)


def write_picture(path: Path, rgb: Tensor, alpha: Tensor | None, quality: int) -> None:
    """Writes a picture in the format that the ending of ``path`` names, whole or not at all.

    Args:
        rgb: (3, H, W); clamped to [0, 1] and rounded to 8 bits.
        alpha: (1, H, W) in [0, 1] or None; JPEG and BMP have none and get a white background.
        quality: 1 to 100, of the formats that lose something (JPEG, WebP, AVIF).

    Raises:
        FastTransferError: unknown ending, or the file cannot be written.
    """
    if alpha is not None and writer_of(path) in WITHOUT_ALPHA:
        rgb, alpha = rgb.clamp(0, 1) * alpha + (1 - alpha), None
    write_image(path, to_pil(rgb if alpha is None else torch.cat((rgb, alpha))), quality)


def write_image(path: Path, image: Image.Image, quality: int) -> None:
    """``write_picture`` of a picture in mode RGB or, if the format has transparency, RGBA."""
    kind = writer_of(path)
    options: dict[str, Any] = {"quality": quality}
    if kind == "JPEG":
        options["subsampling"] = 0  # strokes have hard edges in colour, which 4:2:0 would smear
    elif kind == "TIFF":
        options = {"compression": "tiff_adobe_deflate"}
    elif kind == "PNG":
        options = {"compress_level": 1}  # a third of the time for a fifteenth more bytes
    try:
        write_whole(path, lambda file: image.save(file, kind, **options))
    except (OSError, ValueError) as error:  # ValueError: more pixels a side than the format holds
        raise FastTransferError(f"{path} cannot be written ({brief(error)})") from error


def writer_of(path: Path) -> str:
    """Pillow's name of the format that the ending of ``path`` stands for."""
    try:
        return WRITERS[path.suffix.lower()]
    except KeyError:
        raise FastTransferError(
            f"{path} cannot be written: its ending is {path.suffix or 'missing'!r} and must be one "
            f"of {' '.join(WRITERS)}"
        ) from None


def to_tensor(image: Image.Image) -> Tensor:
    """An 8-bit picture as float32 (channels, H, W) in [0, 1]."""
    pixels = torch.from_numpy(np.array(image)).reshape(image.height, image.width, -1)
    return pixels.permute(2, 0, 1).to(torch.float32, memory_format=torch.contiguous_format) / 255


def to_pil(picture: Tensor) -> Image.Image:
    """(3, H, W) or, with alpha, (4, H, W) to 8 bits; clamped to [0, 1] and rounded."""
    pixels = (picture.detach().cpu().float().clamp(0, 1) * 255).round().to(torch.uint8)
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())


def from_bytes(frames: Tensor) -> Tensor:
    """Video frames, uint8 (B, H, W, 3), to float32 (B, 3, H, W) in [0, 1]."""
    return frames.permute(0, 3, 1, 2).to(torch.float32) / 255


def to_bytes(photos: Tensor) -> Tensor:
    """(B, 3, H, W) to uint8 (B, H, W, 3), a view; clamped to [0, 1] and rounded."""
    return (photos.float().clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)


def resize(images: Tensor, size: int) -> Tensor:
    """(…, C, H, W) in [0, 1] to a longer side of ``size`` pixels, antialiased, in [0, 1]."""
    height, width = images.shape[-2:]
    longer = max(height, width)
    if longer == size:
        return images
    return resize_to(
        images, max(1, round(height * size / longer)), max(1, round(width * size / longer))
    )


def keep_colours(stylized: Tensor, content: Tensor) -> Tensor:
    """The luminance of ``stylized`` with the chrominance of ``content``, (…, 3, H, W) in [0, 1].

    The luminance-only transfer of Gatys et al. 2016, "Preserving Color in Neural Artistic Style
    Transfer" (arXiv:1606.05897), with the luma of Rec. 601: Y = 0.299 R + 0.587 G + 0.114 B. To
    exchange Y and leave both colour differences alone is to add Y(stylized) − Y(content) to R, G
    and B. What that pushes out of [0, 1] is clamped.
    """
    luma = torch.tensor(LUMA, device=content.device, dtype=content.dtype).view(3, 1, 1)
    difference = ((stylized - content) * luma).sum(dim=-3, keepdim=True)
    return (content + difference).clamp(0, 1)


def resize_to(images: Tensor, height: int, width: int) -> Tensor:
    """(…, C, H, W) in [0, 1] to exactly this height and width, antialiased, in [0, 1]."""
    batch = images.reshape(-1, *images.shape[-3:])
    scaled = F.interpolate(batch, (height, width), mode="bicubic", antialias=True).clamp(0, 1)
    return scaled.reshape(*images.shape[:-2], height, width)
