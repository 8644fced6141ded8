"""What training reads: content photos and the style image."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .crops import CropNumbers, PhotoCrops, RandomCrop
    from .datamodule import ContentPhotos
    from .photos import photo_folder, read_probe, usable_photos
    from .shards import ShardedPhotos, pack
    from .style_image import StyleImage, bundled_style_images

__all__ = [
    "ContentPhotos",
    "CropNumbers",
    "PhotoCrops",
    "RandomCrop",
    "ShardedPhotos",
    "StyleImage",
    "bundled_style_images",
    "pack",
    "photo_folder",
    "read_probe",
    "usable_photos",
]

__getattr__ = lazy(
    __name__,
    {
        "ContentPhotos": "datamodule",
        "CropNumbers": "crops",
        "PhotoCrops": "crops",
        "RandomCrop": "crops",
        "ShardedPhotos": "shards",
        "StyleImage": "style_image",
        "bundled_style_images": "style_image",
        "pack": "shards",
        "photo_folder": "photos",
        "read_probe": "photos",
        "usable_photos": "photos",
    },
)
