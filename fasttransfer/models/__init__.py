"""The image transformation network, the loss network, and their files."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .style_file import StyleFile, bundled_styles, find_style, load_style, save_style
    from .transformer_net import TransformerNet
    from .vgg import VGG16Features

__all__ = [
    "StyleFile",
    "TransformerNet",
    "VGG16Features",
    "bundled_styles",
    "find_style",
    "load_style",
    "save_style",
]

__getattr__ = lazy(
    __name__,
    {
        "StyleFile": "style_file",
        "TransformerNet": "transformer_net",
        "VGG16Features": "vgg",
        "bundled_styles": "style_file",
        "find_style": "style_file",
        "load_style": "style_file",
        "save_style": "style_file",
    },
)
