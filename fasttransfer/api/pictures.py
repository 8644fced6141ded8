"""Pictures as people have them, to tensors and back: the same kind comes out as went in."""

import os
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..core.errors import FastTransferError
from ..core.paths import expand_user
from ..images.decoding.srgb import standardize
from ..images.masks import Mask
from ..images.reading import read_picture
from ..images.tensors import from_bytes, resize_to, to_bytes, to_pil, to_tensor
from .masks import MAX_PIXELS, NO_MASKS, Masking

# (B, 3, H, W) in [0, 1], and B masks where there are any, to (B, 3, h, w) in [0, 1], float32.
Run = Callable[..., Tensor]

BATCH_PIXELS = 2_000_000  # of the pictures that are stylized at a time; more would take memory only
TOLERANCE = 0.1  # by which values may leave [0, 1], as after resizing; they are clamped
WANTED = (
    "give a path, a PIL image, a uint8 array (H, W, 3) or (B, H, W, 3), a float tensor (3, H, W) or "
    "(B, 3, H, W) in [0, 1], or a list of these"
)


def through(run: Run, content: object, masking: Masking = NO_MASKS) -> object:
    """Stylizes one picture, a batch, or a list of them.

    Args:
        run: what is done to the pictures.
        content: see ``Style.__call__``.
        masking: the masks of the pictures, if there are any.

    Returns:
        The same kind: PIL image, array, tensor, list or tuple; for a path a PIL image.

    Raises:
        FastTransferError: ``content`` is no image, a file that cannot be read, or not as many masks as
            pictures.
    """
    if isinstance(content, list | tuple):
        found = [
            _item(run, number, item, masking.item(number, len(content)))
            for number, item in enumerate(content)
        ]
        return found if isinstance(content, list) else tuple(found)
    if isinstance(content, str | os.PathLike):
        return _file(run, content, masking)
    if isinstance(content, Image.Image):
        return _pil(run, content, masking)
    if isinstance(content, np.ndarray):
        return _array(run, content, masking)
    if isinstance(content, Tensor):
        return _tensor(run, content, masking)
    if content is None:
        raise FastTransferError(
            "None is no image (cv2.imread returns it for a file that it cannot read); " + WANTED
        )
    raise FastTransferError(f"A {type(content).__name__} is no image; {WANTED}.")


def _item(run: Run, number: int, item: object, masking: Masking) -> object:
    if isinstance(item, list | tuple):
        raise FastTransferError(f"Item {number} of the list is a list itself; {WANTED}.")
    try:
        return through(run, item, masking)
    except FastTransferError as error:
        raise FastTransferError(f"Item {number} of the list: {error}") from error


def _file(run: Run, path: str | os.PathLike[str], masking: Masking) -> Image.Image:
    picture = read_picture(expand_user(os.fsdecode(path)), max_pixels=MAX_PIXELS)
    alpha = torch.ones_like(picture.rgb[:1]) if picture.alpha is None else picture.alpha
    masks = [masking.of(0, 1, picture.rgb, alpha)]
    stylized = picture.with_rgb(_batched(run, picture.rgb[None], masks)[0])
    if stylized.alpha is None:
        return to_pil(stylized.rgb)
    return to_pil(torch.cat([stylized.rgb, stylized.alpha]))


def _pil(run: Run, image: Image.Image, masking: Masking) -> Image.Image:
    if 0 in image.size:
        raise FastTransferError(f"The PIL image of {image.width}×{image.height} pixels is empty.")
    try:
        picture = to_tensor(standardize(image.copy())[0])
    except OSError as error:  # a file whose pixels were not read before
        raise FastTransferError(f"The PIL image is damaged or cut short ({error}).") from error
    alpha = picture[3:] if len(picture) == 4 else torch.ones_like(picture[:1])
    return to_pil(_with_alpha(run, picture, masking.of(0, 1, picture[:3], alpha)))


def _array(run: Run, array: np.ndarray, masking: Masking) -> np.ndarray:
    if array.dtype != np.uint8:
        raise FastTransferError(
            f"An array of {array.dtype} is ambiguous; give uint8 from 0 to 255, or a float tensor "
            "(3, H, W) in [0, 1]."
        )
    pixels = array[..., None].repeat(3, axis=-1) if array.ndim == 2 else array
    if pixels.ndim not in (3, 4) or pixels.shape[-1] not in (3, 4) or 0 in pixels.shape:
        raise FastTransferError(
            f"An array of shape {array.shape} is no picture; give (H, W, 3), (H, W, 4), (H, W), or a "
            "batch (B, H, W, 3)."
        )
    # A copy, as arrays that are flipped, read-only, or views of others cannot be tensors.
    batch = torch.from_numpy(np.array(pixels, order="C")).reshape(-1, *pixels.shape[-3:])
    finished = []
    for number, one in enumerate(batch):
        picture = from_bytes(one[None])[0]
        alpha = picture[3:] if len(picture) == 4 else None
        mask = masking.of(number, len(batch), picture[:3], alpha)
        finished.append(to_bytes(_with_alpha(run, picture, mask)[None]))
    stylized = torch.cat(finished)
    return (stylized if pixels.ndim == 4 else stylized[0]).contiguous().numpy()


def _tensor(run: Run, tensor: Tensor, masking: Masking) -> Tensor:
    _check_tensor(tensor)
    detached = tensor.detach()
    if tensor.dtype == torch.uint8:
        batch = detached.to(torch.float32) / 255
    else:
        least, most = detached.aminmax()
        if not (least >= -TOLERANCE and most <= 1 + TOLERANCE):  # also where it is not a number
            raise FastTransferError(
                f"A float tensor with values from {least:.3g} to {most:.3g} is no picture; they must "
                "be in [0, 1]: divide by 255, undo a normalization, or give uint8."
            )
        batch = detached.to(torch.float32).clamp(0, 1)
    whole = batch if batch.ndim == 4 else batch[None]
    masks = [masking.of(n, len(whole), one, None) for n, one in enumerate(whole)]
    stylized = _batched(run, whole, masks)
    stylized = stylized if batch.ndim == 4 else stylized[0]
    if tensor.dtype == torch.uint8:
        stylized = (stylized * 255).round()
    return stylized.to(tensor.device, tensor.dtype)


def _check_tensor(tensor: Tensor) -> None:
    shape = tuple(tensor.shape)
    if tensor.dtype != torch.uint8 and not tensor.is_floating_point():
        raise FastTransferError(
            f"A tensor of {str(tensor.dtype).removeprefix('torch.')} is ambiguous; give floats in "
            "[0, 1], or uint8."
        )
    if tensor.layout != torch.strided or tensor.is_meta:
        raise FastTransferError("A sparse or meta tensor is no picture; give one with all values.")
    if tensor.ndim not in (3, 4) or shape[-3] != 3 or 0 in shape:
        hint = "; (H, W, 3) becomes that by .permute(2, 0, 1)" if shape[-1:] == (3,) else ""
        raise FastTransferError(
            f"A tensor of shape {shape} is no picture; give RGB as (3, H, W) or (B, 3, H, W){hint}."
        )


def _with_alpha(run: Run, picture: Tensor, mask: Mask | None) -> Tensor:
    """(3, H, W) or (4, H, W), whose last channel is kept and resized with the picture."""
    stylized = _batched(run, picture[None, :3], [mask])[0]
    if len(picture) == 3:
        return stylized
    alpha = picture[3:]
    if alpha.shape[-2:] != stylized.shape[-2:]:
        alpha = resize_to(alpha, *stylized.shape[-2:])
    return torch.cat([stylized, alpha])


def _batched(run: Run, batch: Tensor, masks: list[Mask | None]) -> Tensor:
    """(B, 3, H, W), so many at a time that memory does not depend on B."""
    step = max(1, BATCH_PIXELS // (batch.shape[-2] * batch.shape[-1]))
    parts = [slice(start, start + step) for start in range(0, len(batch), step)]
    return torch.cat([run(batch[p], *([masks[p]] if any(masks) else [])) for p in parts])
