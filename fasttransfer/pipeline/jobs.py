"""One file to stylize."""

from dataclasses import dataclass
from pathlib import Path

from ..video.settings import is_video


@dataclass(frozen=True)
class Job:
    """One file to stylize: a picture, a video, or a volume, and what it becomes.

    Attributes:
        input: the file.
        output: the file it becomes.
        url: the exact name of an input in a store; a path cannot have two slashes in a row.
    """

    input: Path
    output: Path
    url: str | None = None

    @property
    def is_video(self) -> bool:
        """Whether the input is a video, by its ending."""
        return is_video(self.input)
