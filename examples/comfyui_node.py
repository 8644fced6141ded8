"""A node for ComfyUI.

Copy this file into custom_nodes/, and install fasttransfer in ComfyUI's environment.
"""

from functools import lru_cache
from typing import Any

from torch import Tensor

import fasttransfer as ft


@lru_cache(maxsize=4)
def _loaded(style: str) -> ft.Style:
    return ft.load(style)


class StylizeImage:
    """Stylizes a batch of images in a single forward pass."""

    CATEGORY = "image/stylize"
    FUNCTION = "stylize"
    RETURN_TYPES = ("IMAGE",)
    DESCRIPTION = "Neural style transfer with a trained style of fasttransfer."

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802 (ComfyUI's name)
        """What the node shows: a bundled style, or the name of a style file or a blend instead."""
        unit = {"min": 0.0, "max": 1.0, "step": 0.05}
        return {
            "required": {
                "image": ("IMAGE",),
                "style": (sorted(ft.styles()), {"default": "mosaic"}),
                "strength": ("FLOAT", {"default": 1.0, **unit}),
                "color": (["style", "content"],),
            },
            "optional": {
                "mask": ("MASK",),
                "other_style": (
                    "STRING",
                    {"default": "", "placeholder": "file, or mosaic:0.6,udnie:0.4"},
                ),
            },
        }

    def stylize(
        self,
        image: Tensor,
        style: str,
        strength: float,
        color: str,
        mask: Tensor | None = None,
        other_style: str = "",
    ) -> tuple[Tensor]:
        """One step of a workflow.

        Args:
            image: (B, H, W, 3) in [0, 1].
            style: a bundled style.
            strength: 0 is the image, 1 the full style.
            color: ``content`` keeps the image's own colors.
            mask: (H, W) or (B, H, W) in [0, 1], 1 where the image is stylized.
            other_style: a style file or a blend, instead of ``style``.

        Returns:
            (B, H, W, 3), in a tuple.
        """
        if mask is not None and mask.ndim == 3 and len(mask) == 1:
            mask = mask[0]
        content = image.movedim(-1, 1)  # (B, 3, H, W)
        loaded = _loaded(other_style.strip() or style)
        stylized = loaded(content, mask=mask, strength=strength, color=color)
        return (stylized.movedim(1, -1),)


NODE_CLASS_MAPPINGS = {"FasttransferStylize": StylizeImage}
NODE_DISPLAY_NAME_MAPPINGS = {"FasttransferStylize": "Stylize (fasttransfer)"}
