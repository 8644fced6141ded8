"""One picture or video to stylize."""

from dataclasses import dataclass
from pathlib import Path

from ..video.settings import is_video


@dataclass(frozen=True)
class Job:
    """One picture or video to stylize: its file and the file it becomes."""

    input: Path
    output: Path

    @property
    def is_video(self) -> bool:
        """Whether the input is a video, by its ending."""
        return is_video(self.input)
