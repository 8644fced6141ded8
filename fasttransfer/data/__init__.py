"""What training reads: content photos and the style image."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .crops import CropBatch, CropNumbers, PhotoCrops, RandomCrop
    from .datamodule import ContentPhotos
    from .packing import pack
    from .photos import photo_folder, read_probe, usable_photos
    from .shards import ShardedPhotos
    from .style_image import StyleImage, bundled_style_images

__all__ = [
    "ContentPhotos",
    "CropBatch",
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
        "CropBatch": "crops",
        "CropNumbers": "crops",
        "PhotoCrops": "crops",
        "RandomCrop": "crops",
        "ShardedPhotos": "shards",
        "StyleImage": "style_image",
        "bundled_style_images": "style_image",
        "pack": "packing",
        "photo_folder": "photos",
        "read_probe": "photos",
        "usable_photos": "photos",
    },
)
