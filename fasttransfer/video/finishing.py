"""Turns a video that could be played while it grew into one that plays everywhere."""

import os
import struct
from pathlib import Path

import av

from ..core.files import whole_file
from .opening import open_container
from .settings import INDEX_FIRST, VIDEO_WRITERS, ffmpeg_name
from .writer import in_one_sentence


def finish_video(growing: Path, path: Path) -> None:
    """Copies the packets of ``growing`` into ``path``, with the index at the front.

    Raises:
        FastTransferError: it cannot be read or written; ``path`` is not there then.
    """
    with (
        in_one_sentence(path),
        whole_file(path) as unfinished,
        open_container(growing) as source,
        av.open(
            ffmpeg_name(unfinished),
            "w",
            format=VIDEO_WRITERS[path.suffix.lower()],
            container_options=dict(INDEX_FIRST),
        ) as target,
    ):
        copies = {s.index: target.add_stream_from_template(s, opaque=True) for s in source.streams}
        for packet in source.demux():
            if packet.size:
                packet.stream = copies[packet.stream_index]
                target.mux(packet)


def drop_unfinished_piece(growing: Path) -> None:
    """Cuts an MP4 that was written in pieces behind the last one that is whole.

    What remains is empty if none is.
    """
    with growing.open("r+b") as file:
        length = os.fstat(file.fileno()).st_size
        position = whole = 0
        while position + 16 <= length:
            file.seek(position)
            size, kind, large = struct.unpack(">I4sQ", file.read(16))
            position += max(8, large if size == 1 else size)
            if kind == b"mdat" and position <= length:
                whole = position
        file.truncate(whole)
