"""Finds the sources and sinks that fit the files, so that ``runner`` knows no kind of input."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from ..core.errors import FastTransferError
from ..core.libraries import require
from ..core.progress import Report
from ..large.settings import TileSettings
from ..video.settings import VideoSettings
from .jobs import Job
from .pictures import PictureSink, PictureSource, read_any
from .runner import Sink, Source


def open_media(
    jobs: Sequence[Job],
    bytes_per_pixel: float | None,
    report: Report,
    *,
    overwrite: bool,
    quality: int,
    max_pixels: int,
    size: int | None,
    workers: int,
    tiling: TileSettings,
    video: VideoSettings,
) -> list[tuple[Source[Any], Sink[Any]]]:
    """Sources and their sinks: one pair for all pictures, then one for each video.

    Args:
        jobs: what becomes what, see ``plan``.
        bytes_per_pixel: what stylizing a picture takes of memory; None: it cannot be done in tiles.
        report: is told of failures, notes, skipped and finished pictures.
        overwrite: do outputs again that are there already.
        quality: 1 to 100, of formats that lose something.
        max_pixels: pictures and frames with more are refused.
        size: longer side in pixels that results will have; None is the pictures' own. Larger JPEGs
            are then decoded at a reduced size.
        workers: threads that read, and as many that write; each holds a few pictures at most.
        tiling: which pictures are stylized in tiles, and how.
        video: how videos are encoded.

    Raises:
        FastTransferError: a setting that cannot be used, or a library that is missing.
    """
    for name, value, largest in (
        ("quality", quality, 100),
        ("max_pixels", max_pixels, None),
        ("workers", workers, None),
    ):
        if not isinstance(value, int) or value < 1 or (largest is not None and value > largest):
            upper = f" to {largest}" if largest else " on"
            raise FastTransferError(f"{name}={value} must be a whole number from 1{upper}")
    waiting = [job for job in jobs if overwrite or not job.output.exists()]
    left = set(waiting)
    report.skipped += [job.output for job in jobs if job not in left]
    pictures = [job for job in waiting if not job.is_video]
    videos = [job for job in waiting if job.is_video]
    media: list[tuple[Source[Any], Sink[Any]]] = []
    if pictures:
        most = None if bytes_per_pixel is None else tiling.most_pixels(bytes_per_pixel)
        read = partial(read_any, max_pixels=max_pixels, size=size, tiling=tiling, most=most)
        source = PictureSource(pictures, report, read, workers)
        media.append((source, PictureSink(report, quality, workers)))
    if videos:
        require("av", "video", "stylizing a video")
        from .videos import VideoSink, VideoSource

        for job in videos:
            clip = VideoSource(job, report, video, max_pixels)
            media.append((clip, VideoSink(job, report, video)))
    return media
