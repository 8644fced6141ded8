"""Video files in, video files out: nothing but the pixels changes."""

import os
import threading
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from clips import decoded, make_clip, packets, picture, times_of

from fasttransfer.checkpoint import StyleFile
from fasttransfer.infer import stylize_all
from fasttransfer.media import open_media
from fasttransfer.network import TransformerNet
from fasttransfer.report import Report
from fasttransfer.stylize import Stylizer
from fasttransfer.video import VideoSettings

QUARTER = [0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30]  # a phone held upright
MIRRORED = [-65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stylizer(strength: float = 0.0, size: int | None = None) -> Stylizer:
    torch.manual_seed(0)
    network = TransformerNet([4, 8], 1, 3, 2, False).requires_grad_(False)
    return Stylizer(StyleFile(network, "wood", {}), size, "style", strength, "cpu", "float32")


def stylize(
    inputs: str | Path,
    output: str | None = None,
    style: Stylizer | None = None,
    max_pixels: int = 10**6,
    **video: Any,
) -> Report:
    report = Report()
    settings = {"codec": "auto", "crf": 10, "preset": "auto", "threads": 1, "queue": 3} | video
    media = open_media(
        [str(inputs)],
        output,
        "wood",
        False,
        report,
        format=None,
        overwrite=True,
        quality=90,
        max_pixels=max_pixels,
        min_side=None,
        workers=1,
        video=VideoSettings(**settings),
    )
    for source, sink in media:
        stylize_all(source, style or stylizer(), sink, report)
    assert threading.active_count() == 1
    return report


def header(path: str | Path) -> dict[str, Any]:
    """What players go by, besides pixels and times."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        context = stream.codec_context
        return {
            "size": (frame.width, frame.height),
            "aspect": stream.sample_aspect_ratio,
            "colours": (
                context.color_primaries,
                context.color_trc,
                context.colorspace,
                context.color_range,
            ),
            "rotation": bytes(frame.side_data["DISPLAYMATRIX"])
            if "DISPLAYMATRIX" in frame.side_data
            else None,
            "rate": stream.average_rate,
            "streams": [
                (s.type, s.language, s.codec_context.name)
                for s in container.streams
                if s.codec_context
            ],
            "chapters": [
                (c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"])
                for c in container.chapters()
            ],
        }


def difference(path: str | Path, other: str | Path) -> float:
    """Of two videos, the mean difference of a value of 0 to 255, in the worst frame."""
    pairs = zip(decoded(Path(path)), decoded(Path(other)), strict=True)
    return max(float(np.abs(a.astype(int) - b).mean()) for a, b in pairs)


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_a_copy_differs_in_nothing(ending: str) -> None:
    clip = make_clip(
        Path(f"clip.{ending}"),
        display_matrix=QUARTER,
        audio="aac",
        subtitles="subrip" if ending == "mkv" else "mov_text",
        chapters=True,
        metadata={"title": "Tïtle"},
        sample_aspect_ratio=Fraction(4, 3),
    )
    report = stylize(clip, f"out.{ending}")
    assert (report.failures, report.damages) == ([], [])
    assert header("out." + ending) == header(clip)
    assert times_of(Path("out." + ending)) == times_of(clip)
    for kind in ("audio", "subtitle"):
        assert packets(Path("out." + ending), kind) == packets(clip, kind) != []
    with av.open("out." + ending) as container:
        assert container.metadata["title"] == "Tïtle"
    assert difference(clip, f"out.{ending}") < 2
    assert sorted(os.listdir()) == [f"clip.{ending}", f"out.{ending}"]


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize("start", [0.0, 1.4])
def test_variable_rate(ending: str, start: float) -> None:
    times = [start + after for after in (0, 0.1, 0.25, 0.3, 1, 1.001, 1.5)]
    clip = make_clip(Path(f"clip.{ending}"), times=times, audio="aac")
    stylize(clip)
    assert times_of(Path(f"clip-wood.{ending}")) == times_of(clip)
    assert [float(t) for t in times_of(clip)] == pytest.approx(times, abs=1e-3)
    assert packets(Path(f"clip-wood.{ending}"), "audio") == packets(clip, "audio")


@pytest.mark.parametrize("matrix", [None, QUARTER, MIRRORED])
def test_rotation_and_no_audio(matrix: Sequence[int] | None) -> None:
    clip = make_clip(Path("clip.mp4"), count=5, display_matrix=matrix)
    stylize(clip)
    assert header("clip-wood.mp4") == header(clip)
    assert (header(clip)["rotation"] is None) == (matrix is None)


@pytest.mark.parametrize(("width", "height"), [(65, 48), (64, 49), (65, 49), (1, 1), (2, 130)])
def test_sizes_stay_exact(width: int, height: int) -> None:
    make_clip(Path("clip.mp4"), count=3, width=width, height=height, pix_fmt="yuv444p")
    assert stylize("clip.mp4", style=stylizer(1.0)).failures == []
    assert header("clip-wood.mp4")["size"] == (width, height)
    with av.open("clip-wood.mp4") as container:
        chosen = container.streams.video[0].codec_context.pix_fmt
    assert chosen == ("yuv420p" if width % 2 == height % 2 == 0 else "yuv444p")


@pytest.mark.parametrize(
    "tags",
    [
        {"color_primaries": 1, "color_trc": 1, "colorspace": 1, "color_range": 1},
        {"color_primaries": 1, "color_trc": 13, "colorspace": 1, "color_range": 2},
        {"color_primaries": 5, "color_trc": 6, "colorspace": 5, "color_range": 1},
        {"color_primaries": 9, "color_trc": 16, "colorspace": 9, "color_range": 1},
        {"color_primaries": 9, "color_trc": 18, "colorspace": 9, "pix_fmt": "yuv420p10le"},
        {"color_primaries": 1, "color_trc": 1, "colorspace": 3},  # reserved
    ],
)
def test_colours_and_their_tags_are_kept(tags: dict[str, Any]) -> None:
    clip = make_clip(Path("clip.mp4"), count=4, **tags)
    assert stylize(clip, crf=0).failures == []  # lossless, so that only the conversions show
    if tags["colorspace"] != 3:
        assert header("clip-wood.mp4") == header(clip)
    before, after = raw_means(clip), raw_means(Path("clip-wood.mp4"))
    full = tags.get("color_range") == 2  # where FFmpeg rounds colours down
    assert after == pytest.approx(before, abs=0.7 if full else 0.3)


def raw_means(path: Path) -> list[float]:
    """Mean Y, U and V of the first frame as stored, on the scale of 8 bits."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        scale = 4 if "10" in frame.format.name else 1
        frame = frame if scale == 1 else frame.reformat(format="yuv420p")
        sizes = [(p.height, p.width, p.line_size) for p in frame.planes]
        return [
            float(np.frombuffer(p, np.uint8).reshape(h, line)[:, :w].mean())
            for p, (h, w, line) in zip(frame.planes, sizes, strict=True)
        ]


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "name"),
    [
        ("ffv1", "gray", "clip.mkv"),
        ("ffv1", "bgr0", "clip.mkv"),
        ("ffv1", "yuva420p", "clip.mkv"),
        ("ffv1", "yuv420p10le", "clip.mkv"),
        ("mjpeg", "yuvj420p", "clip.avi"),
        ("mpeg4", "yuv420p", "clip.avi"),
        ("mpeg2video", "yuv420p", "clip.ts"),
        ("libvpx-vp9", "yuv420p", "clip.webm"),
        ("png", "rgb24", "clip.mov"),
    ],
)
def test_other_formats(codec: str, pix_fmt: str, name: str) -> None:
    clip = make_clip(Path(name), count=6, codec=codec, pix_fmt=pix_fmt, time_base=Fraction(1, 30))
    report = stylize(clip)
    [output] = report.done
    assert output.suffix == (clip.suffix if clip.suffix in (".mkv", ".mov", ".webm") else ".mkv")
    shown = decoded(output)
    assert len(shown) == len(decoded(clip)) == 6
    times = zip(times_of(output), times_of(clip), strict=True)
    assert all(abs(a - b) <= Fraction(1, 2000) for a, b in times)
    for number, frame in enumerate(shown):
        expected = picture(number, 64, 48).astype(int)
        if pix_fmt == "gray":
            expected = expected @ [0.299, 0.587, 0.114]
            frame = frame.mean(-1)
        assert np.abs(frame - expected).mean() < (8 if "mpeg" in codec else 5), number
