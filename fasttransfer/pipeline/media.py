"""Chooses the source, the stylizer, and the sink that fit the files."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..core.libraries import is_installed, not_installed, require
from ..core.paths import exists
from ..core.progress import Report
from ..large.stylizer import LargeStylizer
from ..stylizing.settings import SteadySettings
from .jobs import Job
from .masks import Masks
from .pictures import PictureSink, PictureSource, PictureStylizer
from .runner import Pipeline
from .settings import MediaSettings

if TYPE_CHECKING:
    from ..stylizing.stylizer import Stylizer
    from .videos import ClipFrame


def open_media(
    jobs: Sequence[Job], stylizer: "Stylizer", settings: MediaSettings, report: Report
) -> list[Pipeline[Any, Any]]:
    """Ways from files to files: one for all pictures, then one for each video.

    Args:
        jobs: what becomes what, see ``plan``.
        stylizer: what is done to them.
        settings: how they are read and written.
        report: gets failures, notes, and skipped and finished files.

    Raises:
        FastTransferError: a library that is missing, or a mask that cannot be used.
    """
    waiting = [job for job in jobs if settings.overwrite or not exists(job.output)]
    left = set(waiting)
    report.skipped += [job.output for job in jobs if job not in left]
    pictures = [job for job in waiting if not job.is_video]
    videos = [job for job in waiting if job.is_video]
    pipelines: list[Pipeline[Any, Any]] = []
    masks = Masks(settings.mask, settings.max_pixels)
    if pictures:
        needed = stylizer.bytes_per_pixel
        tiling, device = settings.tiling, stylizer.engine.device
        most = None if needed is None else tiling.most_pixels(needed, device)
        source = PictureSource(pictures, settings, masks, most, report)
        on_pictures = PictureStylizer(stylizer, LargeStylizer(stylizer, tiling, report))
        sink = PictureSink(settings, report)
        pipelines.append(Pipeline(source, on_pictures, sink, stylizer.name))
    if videos:
        require("av", "video", "stylizing a video")
        from .videos import VideoSink, VideoSource

        on_frames = _on_frames(stylizer, settings.steady, report)
        for job in videos:
            clip = VideoSource(job, settings, masks, report)
            film = VideoSink(job, settings, report)
            title = f"{stylizer.name} {job.input.name}"
            pipelines.append(Pipeline(clip, on_frames, film, title, job))
    return pipelines


def _on_frames(
    stylizer: "Stylizer", steady: SteadySettings, report: Report
) -> "Callable[[ClipFrame], ClipFrame]":
    """What stylizes the frames of videos: steadily, unless that is not wanted or not possible."""
    from ..stylizing.steadier import PURPOSE, Steadier
    from .videos import FrameStylizer, SteadyFrameStylizer

    amount = 1.0 if steady.amount == "auto" else float(steady.amount)
    if steady.amount == "auto" and not is_installed("cv2"):
        notice = f"{not_installed(PURPOSE, 'cv2', 'video')}; frames are stylized one by one"
        if notice not in report.notes:  # once, however many styles there are
            report.notes.append(notice)
            report.say(notice)
        amount = 0.0
    if amount == 0 or stylizer.settings.strength == 0:
        return FrameStylizer(stylizer)
    return SteadyFrameStylizer(stylizer, Steadier(steady, amount))
