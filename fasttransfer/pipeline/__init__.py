"""Files and folders through a stylizer."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .batches import BatchSettings, stylize_in_batches
    from .jobs import Job
    from .media import open_media
    from .planning import find_media, plan
    from .runner import Pipeline, Sink, Source, stylize_all
    from .settings import MediaSettings

__all__ = [
    "BatchSettings",
    "Job",
    "MediaSettings",
    "Pipeline",
    "Sink",
    "Source",
    "find_media",
    "open_media",
    "plan",
    "stylize_all",
    "stylize_in_batches",
]

__getattr__ = lazy(
    __name__,
    {
        "BatchSettings": "batches",
        "Job": "jobs",
        "MediaSettings": "settings",
        "Pipeline": "runner",
        "Sink": "runner",
        "Source": "runner",
        "find_media": "planning",
        "open_media": "media",
        "plan": "planning",
        "stylize_all": "runner",
        "stylize_in_batches": "batches",
    },
)
