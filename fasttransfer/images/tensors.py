"""Pictures as tensors: THE image convention of the package, and what converts to it and from it.

Float32 RGB in [0, 1], (B, 3, H, W) for a batch and (3, H, W) for one picture, sRGB, upright.
"""

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from .sizes import fitted

LUMA = (0.299, 0.587, 0.114)  # Rec. 601, which is also the Y of YIQ


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
    if max(height, width) == size:
        return images
    return resize_to(images, *fitted((height, width), size))


def keep_colors(stylized: Tensor, content: Tensor) -> Tensor:
    """The luminance of ``stylized`` with the chrominance of ``content``, (…, 3, H, W) in [0, 1].

    The luminance-only transfer of Gatys et al. 2016, "Preserving Color in Neural Artistic Style
    Transfer" (arXiv:1606.05897), with the luma of Rec. 601: Y = 0.299 R + 0.587 G + 0.114 B. To
    exchange Y and leave both color differences alone is to add Y(stylized) − Y(content) to R, G
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
