"""Pictures in memory and in files."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .contact_sheets import captioned, contact_sheet, side_by_side
    from .decoding import Decoded, open_image, read_size
    from .folders import pictures_below
    from .masks import Mask, read_gray
    from .metadata import NO_METADATA, Metadata
    from .reading import Picture, open_rgb, read_picture
    from .regions import Region, grid
    from .sizes import fitted, resized
    from .tensors import from_bytes, keep_colors, resize, resize_to, to_bytes, to_pil, to_tensor
    from .writing import write_picture

__all__ = [
    "NO_METADATA",
    "Decoded",
    "Mask",
    "Metadata",
    "Picture",
    "Region",
    "captioned",
    "contact_sheet",
    "fitted",
    "from_bytes",
    "grid",
    "keep_colors",
    "open_image",
    "open_rgb",
    "pictures_below",
    "read_gray",
    "read_picture",
    "read_size",
    "resize",
    "resize_to",
    "resized",
    "side_by_side",
    "to_bytes",
    "to_pil",
    "to_tensor",
    "write_picture",
]

__getattr__ = lazy(
    __name__,
    {
        "NO_METADATA": "metadata",
        "Decoded": "decoding",
        "Mask": "masks",
        "Metadata": "metadata",
        "Picture": "reading",
        "Region": "regions",
        "captioned": "contact_sheets",
        "contact_sheet": "contact_sheets",
        "fitted": "sizes",
        "from_bytes": "tensors",
        "grid": "regions",
        "keep_colors": "tensors",
        "open_image": "decoding",
        "open_rgb": "reading",
        "pictures_below": "folders",
        "read_gray": "masks",
        "read_picture": "reading",
        "read_size": "decoding",
        "resize": "tensors",
        "resize_to": "tensors",
        "resized": "sizes",
        "side_by_side": "contact_sheets",
        "to_bytes": "tensors",
        "to_pil": "tensors",
        "to_tensor": "tensors",
        "write_picture": "writing",
    },
)
