"""Makes the small video files that the tests read."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

SRT = "1\n00:00:00,100 --> 00:00:00,400\nHello\n\n2\n00:00:00,500 --> 00:00:00,900\nWorld\n"


def make_clip(
    path: Path,
    *,
    times: Sequence[float] | None = None,
    count: int = 30,
    rate: int = 30,
    width: int = 64,
    height: int = 48,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    time_base: Fraction = Fraction(1, 90_000),
    display_matrix: Sequence[int] | None = None,
    audio: str | None = None,
    subtitles: str | None = None,
    chapters: bool = False,
    options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
    **tags: Any,
) -> Path:
    """A clip of smooth color gradients that move. ``tags`` are attributes of the encoder."""
    times = times if times is not None else [number / rate for number in range(count)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata or {})
        video = container.add_stream(codec, rate, options=options or {})
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = width, height, pix_fmt
        video.codec_context.time_base = video.time_base = time_base
        for name, value in tags.items():
            setattr(video.codec_context, name, value)
        if display_matrix is not None:
            video.set_display_matrix(display_matrix)
        sound = container.add_stream(audio, 48_000) if audio else None
        if sound is not None:
            sound.metadata["language"] = "deu"
        if chapters:
            base = Fraction(1, 1000)
            starts = (("Start", 0, 500), ("End", 500, 1000))
            container.set_chapters(
                [
                    {"id": n, "start": s, "end": e, "time_base": base, "metadata": {"title": t}}
                    for n, (t, s, e) in enumerate(starts, 1)
                ]
            )
        words = _add_subtitles(path, container, subtitles) if subtitles else []
        for packet in words:
            container.mux(packet)
        if sound is not None:
            _encode_sound(container, sound, times[-1] + 1 / rate)
        for number, seconds in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(number, width, height), "rgb24")
            frame = frame.reformat(
                format=pix_fmt,
                dst_colorspace=tags.get("colorspace"),
                dst_color_range=tags.get("color_range"),
            )
            frame.pts, frame.time_base = round(seconds / time_base), time_base
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def make_clip_with_longer_sound(path: Path) -> Path:
    """30 frames, with the sound of 90 copied beside them; its parts are written beside ``path``."""
    clip = make_clip(path.with_stem("picture"))
    sound = make_clip(path.with_stem("sound"), audio="aac", count=90)
    with (
        av.open(str(clip)) as frames,
        av.open(str(sound)) as longer,
        av.open(str(path), "w") as target,
    ):
        streams = (frames.streams.video[0], longer.streams.audio[0])
        copies = [target.add_stream_from_template(stream, opaque=True) for stream in streams]
        for stream, stream_copy in zip(streams, copies, strict=True):
            for packet in stream.container.demux(stream):
                if packet.size:
                    packet.stream = stream_copy
                    target.mux(packet)
    return path


def picture(number: int, width: int, height: int) -> np.ndarray:
    """Gradients of red and green, and a blue that grows with ``number``."""
    x, y = np.meshgrid(np.linspace(20, 235, width), np.linspace(20, 235, height))
    return np.stack([x, y, np.full_like(x, (40 + 6 * number) % 256)], -1).astype(np.uint8)


def decoded(path: Path) -> list[np.ndarray]:
    """Every frame as RGB."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def times_of(path: Path) -> list[Fraction]:
    """When every frame is shown, exactly."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def packets(path: Path, kind: str) -> list[tuple[Fraction, bytes]]:
    """Times and bytes of all packets of sound or subtitles.

    Without the empty subtitles with which FFmpeg's MP4 muxer fills gaps as it likes.
    """
    with av.open(str(path)) as container:
        streams = [stream for stream in container.streams if stream.type == kind]
        return [
            (packet.pts * packet.time_base, bytes(packet))
            for packet in container.demux(streams)
            if packet.pts is not None and bytes(packet) != bytes(2)
        ]


def _encode_sound(container: Any, stream: Any, seconds: float) -> None:
    samples = np.sin(np.arange(int(48_000 * seconds)) / 48_000 * 2 * np.pi * 440)
    planar = stream.codec_context.format.is_planar
    count = stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(stream.codec_context.format, "stereo", 48_000)
    for start in range(0, len(samples), count):
        part = samples[start : start + count].astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.stack([part, part]), "fltp", "stereo")
        frame.sample_rate, frame.pts = 48_000, start
        frame.time_base = Fraction(1, 48_000)
        for piece in resampler.resample(frame):
            container.mux(stream.encode(piece))
    container.mux(stream.encode(None))
    assert planar in (True, False)


def _add_subtitles(path: Path, container: Any, codec: str) -> list[Any]:
    """Subtitles of SRT, as they are (Matroska) or rewritten as ``mov_text``."""
    text = path.with_suffix(".srt")
    text.write_text(SRT)
    found = []
    if codec == "mov_text":
        stream = container.add_mux_stream("mov_text")
        stream.time_base = Fraction(1, 1000)
    with av.open(str(text)) as source:
        if codec != "mov_text":
            stream = container.add_stream_from_template(source.streams[0])
        stream.metadata["language"] = "eng"
        for packet in source.demux():
            if packet.dts is None:
                continue
            if codec == "mov_text":
                words = bytes(packet)
                copy = av.Packet(len(words).to_bytes(2, "big") + words)
                copy.pts, copy.dts, copy.duration = packet.pts, packet.dts, packet.duration
                copy.time_base = packet.time_base
                packet = copy
            packet.stream = stream
            found.append(packet)
        text.unlink()
        return found
