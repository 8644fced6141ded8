"""Reading videos: what is known of a clip, and its frames."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path


@dataclass(frozen=True)
class Clip:
    """What is known of a video file before its frames come.

    Attributes:
        path: the file.
        rate: frames a second, on average.
        time_base: seconds in which its timestamps count.
    """

    path: Path
    rate: Fraction
    time_base: Fraction
