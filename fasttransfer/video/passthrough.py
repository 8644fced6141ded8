"""What a video keeps of the clip that it was made from, besides the frames."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import av

from .clip import Clip
from .opening import open_container
from .packets import PacketReader

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.stream import Stream


_STEP = Fraction(1, 1000)  # seconds, which Matroska counts in
COPIED = ("audio", "subtitle", "attachment")

# What the muxer writes itself, and what counts bytes of the old encoding.
_NOT_COPIED = ("encoder", "major_brand", "minor_version", "compatible_brands", "duration", "bps")
_NOT_COPIED_PREFIXES = ("_statistics", "number_of_", "bps-", "duration-", "number_of_")


class StreamCopier:
    """Copies sound, subtitles, attachments, chapters and metadata of ``clip`` into ``output``.

    The file is opened a second time and read as far as the frames have come, so that no packet
    waits in memory, however sound and frames lie in the file.

    Args:
        clip: whose companions are copied.
        output: the container that is written.
        path: its name, for the notes.
        notes: gets a sentence for each stream that does not fit into the container.
    """

    def __init__(self, clip: Clip, output: "OutputContainer", path: Path, notes: list[str]) -> None:
        self._clip = clip
        self._output = output
        self._path = path
        self._notes = notes
        self._input = open_container(clip.path)
        self._copies: dict[int, Stream] = {}  # by the number of the stream in the clip
        self._packets: Iterator[av.Packet[Stream]] = iter(())
        self._waiting: av.Packet[Stream] | None = None
        self._written: dict[int, int] = {}  # last time of each stream, in its own ticks

    def __enter__(self) -> "StreamCopier":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._input.close()

    def add_before_video(self) -> None:
        """Adds copies of the streams that come before the video, so that the order is kept."""
        self._output.metadata.update(_metadata(self._input.metadata))
        self._output.set_chapters(self._input.chapters())
        for stream in self._input.streams:
            if stream.index < self._clip.index:
                self._add(stream)

    def add_after_video(self, video: "av.VideoStream") -> None:
        """Tags the video and adds copies of the streams that come after it."""
        original = self._input.streams[self._clip.index]
        video.metadata.update(_metadata(original.metadata))
        video.disposition = original.disposition
        for stream in self._input.streams:
            if stream.index > self._clip.index:
                self._add(stream)
        if self._copies:
            self._packets = self._all_packets()
            self._waiting = next(self._packets, None)

    def copy_until(self, seconds: float | None) -> None:
        """Writes the packets up to a time, or all that are left."""
        while (packet := self._waiting) is not None:
            if seconds is not None and (packet.dts or 0) * packet.time_base > seconds:
                return
            self._let_rise(packet)
            packet.stream = self._copies[packet.stream_index]
            self._output.mux(packet)
            self._waiting = next(self._packets, None)

    def _let_rise(self, packet: "av.Packet[Stream]") -> None:
        """Where parts were joined, sound may overlap by a few packets: they follow each other."""
        if packet.dts is None or packet.time_base is None:
            return
        before = self._written.get(packet.stream_index)
        if before is not None and packet.dts <= before:
            packet.dts = before + max(1, round(_STEP / packet.time_base))
            packet.pts = packet.dts if packet.pts is None else max(packet.pts, packet.dts)
        self._written[packet.stream_index] = packet.dts

    def _add(self, stream: "Stream") -> None:
        if stream.type not in COPIED:
            if stream.type != "data":  # timecodes and the like go without a word
                self._leave_out(stream)
            return
        try:
            copy = self._output.add_stream_from_template(stream, opaque=True)
        except (ValueError, av.FFmpegError):
            self._leave_out(stream)
            return
        copy.metadata.update(_metadata(stream.metadata))
        copy.disposition = stream.disposition
        self._copies[stream.index] = copy

    def _leave_out(self, stream: "Stream") -> None:
        codec = stream.codec_context.name if stream.codec_context else "unknown"
        self._notes.append(
            f"stream {stream.index} ({stream.type}, {codec}) does not fit into "
            f"{self._path.suffix} and is left out; an output= that ends in .mkv may keep it"
        )

    def _all_packets(self) -> Iterator["av.Packet[Stream]"]:
        # The video is read along, though not copied, for the same times as its reader finds.
        main = self._input.streams[self._clip.index]
        assert isinstance(main, av.VideoStream)
        for packet in PacketReader(self._input, main):
            if packet.stream_index in self._copies:
                yield packet


def _metadata(tags: dict[str, str]) -> dict[str, str]:
    return {
        key: value
        for key, value in tags.items()
        if key.lower() not in _NOT_COPIED and not key.lower().startswith(_NOT_COPIED_PREFIXES)
    }
