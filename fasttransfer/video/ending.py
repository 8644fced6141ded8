"""What is missing at the end of a video file.

FFmpeg reports no error where a file is cut, and none where it stops at the first of several files that
were joined (``cat a.mp4 b.mp4``). So the end is compared with what the file announces, and with what
its last bytes show.
"""

import re
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av

from .clip import Clip, tagged_length
from .opening import length_of_part
from .packets import PacketReader

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

# Kinds of files that say in front how long they are; others are measured by FFmpeg at their end.
_ANNOUNCING = ("matroska", "mov", "avi", "flv", "ivf")
_EACH_STREAM = ("mov", "avi", "ivf")  # those that announce it for each stream; Matroska has tags
_INACCURACY = Fraction(1, 10)  # seconds, of what they say
_OF_SOUND = Fraction(1, 2)  # seconds; encoders add and cut up to a few blocks

# How files begin of which FFmpeg reads one or two, however many are joined.
_BEGINNINGS = {
    "matroska": rb"\x1a\x45\xdf\xa3.{0,64}?(?:matroska|webm)",
    "mov": rb"\0\0[\0-\x03].ftyp",
    "flv": rb"FLV\x01",
    "nut": rb"nut/multimedia container\0",
    "ivf": rb"DKIF\0\0",
    "asf": rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c",
}
_LONGEST_BEGINNING = 80  # bytes
_PACKET_HEADER = 12  # bytes
_CHUNK = 1 << 20  # bytes that are searched at once

_TS_SIZES = (188, 192, 204)  # bytes of a transport stream's packet, with time or error correction
_TS_LAST = 2000  # packets at the end that are looked at
_SYNC = 0x47


def missing_at_end(
    container: "InputContainer", clip: Clip, packets: PacketReader, frames: int, last: float
) -> str | None:
    """What is missing at the end of a file, in a few words, or None.

    Args:
        container: the file.
        clip: what is known of it.
        packets: its packets, which have been read to the end.
        frames: how many came of them.
        last: the second of the last frame.
    """
    joined = _unread_parts(container, clip, packets.position, last)
    if joined is not None:
        return joined
    video = container.streams[clip.index]
    announced, end = _announced(container, video, packets)
    if announced is not None and end < announced - 1 / clip.rate - _INACCURACY:
        regular = abs(frames / clip.rate - end) < 1 + end / 10
        if regular and clip.total is not None and frames < clip.total:
            return f"ended after {frames} of {clip.total} frames"
        return f"ended after {float(end):.2f} of {float(announced):.2f} s"
    sound = _short_sound(container, packets)
    if sound is not None:
        return sound
    if container.format.name == "mpegts" and is_cut_transport_stream(clip.path):
        return f"cut off in the middle of a packet, after {float(packets.end):.2f} s"
    return None


def _announced(
    container: "InputContainer", video: "Stream", packets: PacketReader
) -> tuple[Fraction | None, Fraction]:
    """The second at which a file says to end, and at which it does; of its video where it says that.

    Subtitles and sound may be longer than the video.
    """
    if not container.format.name.startswith(_ANNOUNCING):
        return None, packets.end
    own = _own_length(container, video)
    if own is not None:
        return own, packets.end_of(video)
    if container.duration is None:
        return None, packets.end
    return Fraction(container.duration, av.time_base), packets.end


def _short_sound(container: "InputContainer", packets: PacketReader) -> str | None:
    for stream in container.streams.audio:
        own, end = _own_length(container, stream), packets.end_of(stream)
        if own is not None and end < own - _OF_SOUND:
            return f"its sound ended after {float(end):.2f} of {float(own):.2f} s"
    return None


def _own_length(container: "InputContainer", stream: "Stream") -> Fraction | None:
    """Seconds that the file announces for one of its streams."""
    tagged = tagged_length(stream)
    if tagged is not None:
        return tagged
    if not container.format.name.startswith(_EACH_STREAM):
        return None
    if not stream.duration or stream.time_base is None:
        return None
    return stream.duration * stream.time_base


def _unread_parts(
    container: "InputContainer", clip: Clip, position: int, last: float
) -> str | None:
    """What is said of files joined to the end that FFmpeg has not read."""
    kind = container.format.name.split(",")[0]
    if kind not in _BEGINNINGS:
        return None
    # The next file may have been taken for a last packet.
    starts = _beginnings(clip.path, _BEGINNINGS[kind], max(0, position - _PACKET_HEADER))
    if not starts:
        return None
    missing = [
        length_of_part(clip.path, start, stop)
        for start, stop in zip(starts, [*starts[1:], None], strict=True)
    ]
    end = last + float(1 / clip.rate)
    known = [float(seconds) for seconds in missing if seconds is not None]
    of = f"{end + sum(known):.2f} s" if len(known) == len(missing) else "a longer file"
    parts = "a file that is joined" if len(starts) == 1 else f"{len(starts)} files that are joined"
    return f"ended after {end:.2f} of {of}: {parts} to its end cannot be read"


def _beginnings(path: Path, pattern: bytes, start: int) -> list[int]:
    """Offsets from ``start`` on at which a file begins."""
    found, beginning = [], re.compile(pattern, re.DOTALL)
    with path.open("rb") as file:
        file.seek(start)
        chunk = file.read(_CHUNK)
        while chunk:
            following = file.read(_CHUNK)
            window = chunk + following[:_LONGEST_BEGINNING]
            found += [
                start + match.start()
                for match in beginning.finditer(window)
                if match.start() < len(chunk)
            ]
            start += len(chunk)
            chunk = following
    return found


def is_cut_transport_stream(path: Path) -> bool:
    """Whether an MPEG transport stream ends in the middle of a packet.

    That is one of its packets of 188 bytes, or one of sound (ISO/IEC 13818-1, 2.4.3.6), whose length
    is announced. Where one packet follows another as they should, a cut leaves no trace.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _TS_LAST * _TS_SIZES[-1]))
        data = file.read()
    for length in _TS_SIZES:
        phase = _phase(data, length)
        if phase is not None:
            packets = [data[at : at + 188] for at in range(phase, len(data) - 187, length)]
            left = (len(data) - phase) % length
            return left not in (0, 188 % length) or _is_cut_packet(packets)
    return False


def _phase(data: bytes, length: int) -> int | None:
    """Where the first packet begins, if packets of this length fill the data to its end."""
    for phase in range(min(length, len(data))):
        marks = data[phase::length]
        if len(marks) > 4 and marks.count(_SYNC) == len(marks):
            return phase
    return None


def _is_cut_packet(packets: list[bytes]) -> bool:
    """Whether the last packet of a stream has fewer bytes than it announces."""
    missing: dict[int, int] = {}  # bytes, by the stream's number
    for packet in packets:
        stream = (packet[1] & 0x1F) << 8 | packet[2]
        payload = _payload(packet)
        if packet[1] & 0x40:  # a packet of the stream begins
            length = int.from_bytes(payload[4:6], "big")
            is_one = payload[:3] == b"\0\0\1" and len(payload) > 6 and length > 0
            missing[stream] = length + 6 if is_one else 0
        if stream in missing:
            missing[stream] -= len(payload)
    return any(left > 0 for left in missing.values())


def _payload(packet: bytes) -> bytes:
    kind = packet[3] >> 4 & 3
    if not kind & 1:
        return b""
    return packet[5 + packet[4] :] if kind & 2 else packet[4:]
