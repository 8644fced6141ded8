"""Rectangles of a picture, and the grid of tiles that covers it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Region:
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right``, the ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    def scaled(self, factor: int) -> "Region":
        """The same place where every cell is ``factor`` × ``factor`` pixels."""
        return Region(*(factor * end for end in (self.top, self.bottom, self.left, self.right)))

    def grown(self, by: int, height: int, width: int) -> "Region":
        """With ``by`` more at each side, as far as ``height`` and ``width`` reach."""
        wider = Region(self.top - by, self.bottom + by, self.left - by, self.right + by)
        return wider.clipped(height, width)

    def clipped(self, height: int, width: int) -> "Region":
        """What of it lies within ``height`` and ``width``; outside, a region of no pixels."""
        rows = (min(max(0, end), height) for end in (self.top, self.bottom))
        columns = (min(max(0, end), width) for end in (self.left, self.right))
        return Region(*rows, *columns)

    def within(self, outer: "Region") -> tuple[slice, slice]:
        """Where it lies in an array that holds ``outer``."""
        return (
            slice(self.top - outer.top, self.bottom - outer.top),
            slice(self.left - outer.left, self.right - outer.left),
        )


def grid(height: int, width: int, side: int) -> list[Region]:
    """Regions of ``side`` × ``side``, smaller at the end, row by row."""
    return [
        Region(top, min(height, top + side), left, min(width, left + side))
        for top in range(0, height, side)
        for left in range(0, width, side)
    ]
