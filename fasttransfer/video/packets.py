"""The packets of a file in their order, at times that rise.

Recordings that were joined (``cat a.ts b.ts``, digital video recorders, dashcams) start their times
anew in the middle, or go on hours later. A player lets such a part follow the one before. So does
this module, from the packets alone, so that a second reader of a file gets the same times.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

_BROADCAST = ("mpegts", "mpeg", "ogg")  # kinds of files whose times may go on anywhere
_BACK = Fraction(1, 20)  # seconds; less is a file that counts carelessly
_AHEAD = 10  # seconds, as FFmpeg's own programs; only in those kinds
_OVERLAP = Fraction(1, 5)  # seconds by which sound may be longer than the picture of its part
_BAD_READS = 100  # so many in a row that the rest of the file is given up


class PacketReader:
    """Packets of an open file; their times are shifted where a new part begins.

    Args:
        container: the file.
        main: its video, whose frames follow each other without a gap where a part ends.
        on_damage: called when a part of the file cannot be read.

    Attributes:
        end: seconds at which all that was read has ended, subtitles too.
        position: in the file, of the last packet that was read.
        parts: how many parts have begun.
    """

    def __init__(
        self,
        container: "InputContainer",
        main: "av.VideoStream",
        on_damage: Callable[[], None] = lambda: None,
    ) -> None:
        self._container = container
        self._main = main
        self._on_damage = on_damage
        # Streams for broadcasting count on purpose, and may go on anywhere. Other files store when a
        # frame is shown, and FFmpeg guesses when it is decoded.
        self._broadcast = container.format.name in _BROADCAST
        self._streams = [s for s in container.streams if s.type in ("video", "audio", "subtitle")]
        self._frame = 1 / main.average_rate if main.average_rate else Fraction(0)  # seconds
        self._offsets = [Fraction(0)]  # seconds, of each part
        self._part: dict[int, int] = {}  # of each stream, by its number
        self._first: dict[int, Fraction] = {}  # seconds of each stream's first packet
        self._latest: dict[int, Fraction] = {}  # in the stream's part, as stored
        self._ends: dict[int, Fraction] = {}  # of each stream, shifted
        self.end = Fraction(0)
        self.position = 0

    @property
    def parts(self) -> int:
        """How many parts have begun."""
        return len(self._offsets)

    def __iter__(self) -> Iterator["av.Packet[Stream]"]:
        bad_reads = 0
        while bad_reads < _BAD_READS:
            try:
                for packet in self._container.demux(self._streams):
                    bad_reads = 0
                    if packet.size:  # the last one of each stream is empty
                        self._shift(packet)
                        yield packet
            except av.FFmpegError:
                bad_reads += 1
                self._on_damage()
            else:
                return

    def end_of(self, stream: "Stream") -> Fraction:
        """Seconds at which the sound or video of a stream has ended so far."""
        return self._ends.get(stream.index, Fraction(0))

    def _shift(self, packet: "av.Packet[Stream]") -> None:
        self.position = max(self.position, packet.pos or 0)
        first, second = (packet.dts, packet.pts) if self._broadcast else (packet.pts, packet.dts)
        ticks = second if first is None else first
        if ticks is None or packet.time_base is None:
            return
        time, length = ticks * packet.time_base, self._duration(packet)
        if packet.stream.type == "subtitle":  # which are seldom, and say nothing about parts
            offset = self._offsets[-1]
        else:
            offset = self._offset(packet, time)
            self._ends[packet.stream_index] = max(
                time + offset + length, self._ends.get(packet.stream_index, Fraction(0))
            )
        shift = round(offset / packet.time_base)
        if packet.dts is not None:
            packet.dts += shift
        if packet.pts is not None:
            packet.pts += shift
            self.end = max(self.end, packet.pts * packet.time_base + length)

    def _offset(self, packet: "av.Packet[Stream]", time: Fraction) -> Fraction:
        """Seconds to add to a packet of sound or video, which may begin a new part."""
        index = packet.stream_index
        self._first.setdefault(index, time)
        part = self._part.setdefault(index, self.parts - 1)
        latest = self._latest.get(index, time)
        back = time < latest - _BACK and (self._broadcast or packet.is_keyframe)
        if back or (self._broadcast and time > latest + _AHEAD):
            latest = time
            if part == self.parts - 1:
                self._offsets.append(self._end_of_part(index) - self._start_of_part(index, time))
            part = self._part[index] = self.parts - 1
        self._latest[index] = max(latest, time)
        return self._offsets[part]

    def _end_of_part(self, index: int) -> Fraction:
        """Where the last part ends, when a packet of stream ``index`` begins the next one."""
        last = max(self._ends.values())
        end = self._ends.get(self._main.index)
        if end is None or last - end > _OVERLAP:
            return last
        # FFmpeg hands a packet out when the next one begins, so one of the video is still to come.
        return end if index == self._main.index else end + self._frame

    def _start_of_part(self, index: int, time: Fraction) -> Fraction:
        """Where the video of a part begins whose first packet is of another stream, perhaps.

        It is as far away as it was at the beginning of the file.
        """
        return time - (self._first[index] - self._first.get(self._main.index, self._first[index]))

    def _duration(self, packet: "av.Packet[Stream]") -> Fraction:
        if packet.duration and packet.time_base is not None:
            return packet.duration * packet.time_base
        return self._frame if packet.stream_index == self._main.index else Fraction(0)
