"""Packs a folder of photos into shards."""

import io
import json
import os
import random
from pathlib import Path

from PIL import Image

from ..core.errors import FastTransferError
from ..core.progress import Report
from ..core.scratch import scratch_folder
from ..images.reading import open_rgb
from .findings import Findings
from .photos import photo_folder, usable_photos
from .shard_files import INDEX, webdataset


def pack(
    photos: Path,
    output: Path,
    report: Report,
    *,
    size: int,
    min_side: int,
    per_shard: int,
    quality: int,
) -> int:
    """Writes the photos of a folder as shards, in random order, and an index of them.

    Args:
        photos: a folder, searched with everything below it.
        output: a new folder; it appears when it is complete.
        report: lists unusable photos and shows the progress.
        size: pixels that the shorter side of larger photos is reduced to.
        min_side: shorter side in pixels that a photo must have.
        per_shard: photos in each tar file.
        quality: of the JPEGs, 1 to 100.

    Returns:
        The number of photos.

    Raises:
        FastTransferError: no photos, or ``output`` already exists.
    """
    if os.path.lexists(output):
        raise FastTransferError(f"output={output} already exists; choose another folder.")
    paths, skipped = usable_photos(photo_folder(photos), Findings(min_side, max_pixels=10**9))
    for path, why in skipped.items():
        report.fail(path, FastTransferError(why))
    random.Random(0).shuffle(paths)
    with scratch_folder(output.parent) as folder:
        part = folder / "shards"  # its mode is what the umask wants, unlike the folder's around it
        part.mkdir()
        pattern = f"{str(part).replace('%', '%%')}{os.sep}photos-%06d.tar"
        writer = webdataset().ShardWriter(pattern, maxcount=per_shard, verbose=0)
        with writer as shards:
            places = report.track(enumerate(paths), len(paths), "packing", "images")
            for number, path in places:
                photo = open_rgb(path, max_pixels=10**9, min_side=size)
                scale = min(1.0, size / min(photo.size))
                width, height = (max(1, round(side * scale)) for side in photo.size)
                file = io.BytesIO()
                photo.resize((width, height), Image.Resampling.LANCZOS).save(
                    file, "JPEG", quality=quality
                )
                shards.write({"__key__": f"{number:08}", "jpg": file.getvalue()})
        (part / INDEX).write_text(json.dumps({"photos": len(paths)}), "utf-8")
        part.rename(output)
    return len(paths)
