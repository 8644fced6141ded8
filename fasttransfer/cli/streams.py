"""Standard streams that cannot end a run: closed ones, pipes without a reader, names of any bytes."""

import io
import os
import sys
from typing import Any, TextIO


def guard_streams() -> None:
    """Makes printing safe for this process; does nothing where a program replaced the streams.

    A closed descriptor is opened as the null device: otherwise the first file to be written would
    get its number, and with it what libraries print. Where the reader of a pipe has gone
    (``| head``), the rest is dropped. What an encoding lacks is printed as an escape.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number: this one
    sys.stdout = _guarded(sys.stdout, sys.__stdout__, 1)
    sys.stderr = _guarded(sys.stderr, sys.__stderr__, 2)


class _Descriptor(io.FileIO):
    """Writes to a descriptor until its reader is gone."""

    def write(self, data: Any) -> int:
        """The number of bytes that are written or dropped."""
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno())  # also for libraries that print by themselves
            os.close(null)
            return len(data)


def _guarded(stream: TextIO | None, original: TextIO | None, descriptor: int) -> TextIO:
    if stream is not original and stream is not None:  # somebody captures what is printed
        return stream
    if stream is not None:
        stream.flush()
    raw = _Descriptor(descriptor, "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(stream, "encoding", None) or "utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )
