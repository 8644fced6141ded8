"""Video files in, video files out: nothing but the pixels changes."""

import os
import sys
import threading
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from PIL import Image

from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.progress import Report
from fasttransfer.images.masks import Mask
from fasttransfer.large.settings import TileSettings
from fasttransfer.models.style_file import StyleFile
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.pipeline.media import open_media
from fasttransfer.pipeline.planning import plan
from fasttransfer.pipeline.runner import stylize_all
from fasttransfer.pipeline.settings import MediaSettings
from fasttransfer.stylizing.settings import EngineSettings, SteadySettings, StylizerSettings
from fasttransfer.stylizing.steadier import Steadier
from fasttransfer.stylizing.stylizer import Stylizer
from fasttransfer.video.settings import VideoSettings
from tests.helpers.clips import decoded, make_clip, packets, picture, times_of

QUARTER = [0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30]  # a phone held upright
MIRRORED = [-65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stylizer(strength: float = 0.0, size: int | None = None) -> Stylizer:
    torch.manual_seed(0)
    network = TransformerNet([4, 8], 1, 3, 2, False).requires_grad_(False)
    style = StyleFile(network, "wood", {})
    return Stylizer(
        style, StylizerSettings(size, strength=strength), EngineSettings("torch", "cpu", "float32")
    )


def stylize(
    inputs: str | Path,
    output: str | None = None,
    style: Stylizer | None = None,
    max_pixels: int = 10**6,
    steady: float | str = 0,
    **video: Any,
) -> Report:
    report, before = Report(), set(threading.enumerate())
    settings = {"codec": "auto", "crf": 10, "preset": "auto", "threads": 1, "queue": 3} | video
    media = MediaSettings(
        TileSettings(tiles="off", memory=1, tile=64, thumbnail=64),
        VideoSettings(**settings),
        overwrite=True,
        max_pixels=max_pixels,
        workers=1,
        steady=SteadySettings(steady),
    )
    jobs = plan([str(inputs)], output, "wood", False, report, format=None, shard=None)
    for pipeline in open_media(jobs, style or stylizer(), media, report):
        stylize_all(pipeline, report)
    left = set(threading.enumerate()) - before
    assert not [thread for thread in left if thread.name.startswith("ThreadPool")]
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
            "colors": (
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


def test_only_the_first_frame_is_a_key_frame() -> None:
    stylize(make_clip(Path("clip.mp4")))
    with av.open("clip-wood.mp4") as container:
        keys = [packet.is_keyframe for packet in container.demux(video=0) if packet.size]
    assert keys == [True] + [False] * 29


@pytest.mark.parametrize("matrix", [None, QUARTER, MIRRORED])
def test_rotation_and_no_audio(matrix: Sequence[int] | None) -> None:
    clip = make_clip(Path("clip.mp4"), count=5, display_matrix=matrix)
    stylize(clip)
    assert header("clip-wood.mp4") == header(clip)
    assert (header(clip)["rotation"] is None) == (matrix is None)


@pytest.mark.parametrize(("width", "height"), [(65, 48), (64, 49), (65, 49), (1, 1), (2, 130)])
def test_sizes_stay_exact(width: int, height: int, capsys: pytest.CaptureFixture[str]) -> None:
    make_clip(Path("clip.mp4"), count=3, width=width, height=height, pix_fmt="yuv444p")
    assert stylize("clip.mp4", style=stylizer(1.0)).failures == []
    assert "cannot be used" not in capsys.readouterr().err
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
def test_colors_and_their_tags_are_kept(tags: dict[str, Any]) -> None:
    clip = make_clip(Path("clip.mp4"), count=4, **tags)
    assert stylize(clip, crf=0).failures == []  # lossless, so that only the conversions show
    if tags["colorspace"] != 3:
        assert header("clip-wood.mp4") == header(clip)
    before, after = raw_means(clip), raw_means(Path("clip-wood.mp4"))
    full = tags.get("color_range") == 2  # where FFmpeg rounds colors down
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


def test_size_strength_and_color() -> None:
    clip = make_clip(Path("clip.mp4"), count=4, sample_aspect_ratio=Fraction(4, 3))
    stylize(clip, style=stylizer(0.0, size=33))
    assert header("clip-wood.mp4")["size"] == (33, 25)
    stylize(clip, "full.mp4", stylizer(1.0))
    stylize(clip, "half.mp4", stylizer(0.5))
    middle = np.mean([decoded(Path(name))[2] for name in ("clip.mp4", "full.mp4")], axis=0)
    assert np.abs(decoded(Path("half.mp4"))[2] - middle).mean() < 4


def test_what_does_not_fit_into_the_container_is_reported(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clip = make_clip(Path("clip.mkv"), audio="aac", subtitles="subrip", chapters=True)
    report = stylize(clip, "out.mp4")
    assert report.failures == []
    assert "(subtitle, srt) does not fit into .mp4 and is left out" in capsys.readouterr().err
    assert [kind for kind, *_ in header("out.mp4")["streams"]] == ["video", "audio"]
    assert header("out.mp4")["chapters"] == header(clip)["chapters"]


def test_webm_gets_vp9_and_keeps_its_sound() -> None:
    clip = make_clip(Path("clip.webm"), codec="libvpx", audio="libopus", time_base=Fraction(1, 30))
    stylize(clip)
    assert [name for *_, name in header("clip-wood.webm")["streams"]] == ["vp9", "opus"]
    assert packets(Path("clip-wood.webm"), "audio") == packets(clip, "audio")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"codec": "libopenh265"}, "libopenh265 cannot be used (this PyAV has no such encoder)"),
        (
            {"codec": "libvpx"},
            "libvpx cannot be used (.mp4 does not hold it); encoded with libx264",
        ),
    ],
)
def test_a_codec_that_is_missing_is_replaced(
    settings: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_clip(Path("clip.mp4"), count=3)
    assert stylize("clip.mp4", **settings).failures == []
    assert words in capsys.readouterr().err
    assert len(decoded(Path("clip-wood.mp4"))) == 3


def test_other_codecs() -> None:
    make_clip(Path("clip.mp4"), count=8)
    for codec in ("libx265", "mpeg4", "libsvtav1", "libvpx-vp9"):
        assert stylize("clip.mp4", f"{codec}.mp4", codec=codec).failures == []
        assert times_of(Path(f"{codec}.mp4")) == pytest.approx(times_of(Path("clip.mp4")), abs=1e-4)
        assert difference("clip.mp4", f"{codec}.mp4") < 6


def test_a_preset_that_the_encoder_does_not_know() -> None:
    make_clip(Path("clip.mp4"), count=3)
    [failure] = stylize("clip.mp4", preset="swift").failures
    assert "video.preset=swift" in failure
    assert os.listdir() == ["clip.mp4"]


def test_a_file_cut_short() -> None:
    clip = make_clip(Path("clip.mkv"), count=60, options={"g": "10"})
    Path("cut.mkv").write_bytes(clip.read_bytes()[: clip.stat().st_size * 6 // 10])
    report = stylize("cut.mkv")
    assert report.failures == []
    assert 20 < len(decoded(Path("cut-wood.mkv"))) < 50
    whole = make_clip(Path("clip.mp4"), count=60)
    Path("cut.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    [failure] = stylize("cut.mp4").failures
    assert "cut short" in failure


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clip.mkv", "clip.ts", "clip.mp4"])
def test_damaged_packets_are_counted_and_survived(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(Path(name), count=60, width=320, height=240, options={"g": "10", "bf": "0"})
    data = bytearray(clip.read_bytes())
    with av.open(str(clip)) as container:
        every = [packet for packet in container.demux(video=0) if packet.size]
    for packet in (every[20], every[21], every[40]):
        assert packet.pos is not None
        assert packet.size > 160  # in a transport stream, the first of its packets of 188 bytes
        data[packet.pos + 40 : packet.pos + 160] = b"\xff" * 120
    clip.write_bytes(data)
    report = stylize(clip)
    assert report.failures == []
    [damage] = report.damages
    assert name in damage
    assert "the first after 0." in damage
    report.print_summary()
    assert f"done, but damaged: 1\n  {name}: " in capsys.readouterr().err
    assert 40 <= len(decoded(report.done[0])) <= 60


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "does not exist"), (b"", "no video"), (b"no video at all" * 99, "no video")],
)
def test_what_is_no_video(content: bytes | None, words: str) -> None:
    if content is not None:
        Path("bad.mp4").write_bytes(content)
    make_clip(Path("good.mp4"), count=3)
    report = Report()
    if content is not None:
        report = stylize("*.mp4", "out/")
        assert os.listdir("out") == ["good.mp4"]
    else:
        from fasttransfer.video.opening import open_container

        with pytest.raises(FastTransferError, match=words):
            open_container(Path("bad.mp4"))
        return
    [failure] = report.failures
    assert words in failure


def test_sound_alone_is_no_video() -> None:
    with av.open("sound.mkv", "w") as container:
        stream = container.add_stream("flac", 48_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 9600), np.int16), "s16", "stereo")
        frame.sample_rate, frame.pts = 48_000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    [failure] = stylize("sound.mkv").failures
    assert "has no video in it" in failure


def test_frames_that_are_too_large() -> None:
    make_clip(Path("clip.mp4"), count=3)
    [failure] = stylize("clip.mp4", max_pixels=1000).failures
    assert "64×48 pixels, more than max_pixels=1000" in failure


def test_an_error_on_the_way_leaves_nothing() -> None:
    class Failing(Stylizer):
        def frame(self, frame: np.ndarray, mask: object = None) -> np.ndarray:
            raise FastTransferError("no memory")

    make_clip(Path("clip.mp4"))
    style = stylizer()
    style.__class__ = Failing
    report = stylize("clip.mp4", style=style)
    assert report.failures == ["clip.mp4: no memory"]
    assert os.listdir() == ["clip.mp4"]


class Boiling(Stylizer):
    """Paints other strokes over each frame, the same ones in each run."""

    def __init__(self) -> None:
        self.name, self.settings, self.other = "wood", StylizerSettings(), None
        self.numbers = np.random.default_rng(0)

    def frame(self, frame: np.ndarray, mask: Mask | None = None) -> np.ndarray:
        strokes = self.numbers.normal(0, 30, frame.shape)
        return np.asarray((0.5 * frame + 64 + strokes).clip(0, 255).astype(np.uint8))


def flicker(path: str) -> float:
    frames = decoded(Path(path))
    return float(np.mean([np.abs(a.astype(int) - b) for a, b in pairwise(frames)]))


TIMES = [0.0, 0.03, 0.1, 0.12, 0.3, 0.31]


@pytest.mark.parametrize(("width", "height"), [(96, 64), (65, 49)])
def test_steady_clips_of_any_kind(width: int, height: int) -> None:
    """Rotated, of a variable rate, with odd sides."""
    clip = make_clip(
        Path("clip.mkv"),
        times=TIMES,
        width=width,
        height=height,
        pix_fmt="yuv444p",
        display_matrix=QUARTER,
        audio="aac",
    )
    for name, steady in (("each.mkv", 0.0), ("steady.mkv", 1.0), ("again.mkv", "auto")):
        assert stylize(clip, name, style=Boiling(), steady=steady).failures == []
    assert header("steady.mkv") == header("each.mkv")
    assert times_of(Path("steady.mkv")) == times_of(clip)
    assert packets(Path("steady.mkv"), "audio") == packets(clip, "audio")
    assert flicker("steady.mkv") < flicker("each.mkv") / 2
    again = zip(decoded(Path("steady.mkv")), decoded(Path("again.mkv")), strict=True)
    assert all(np.array_equal(first, second) for first, second in again)


def test_each_clip_starts_with_the_networks_own_frame() -> None:
    for name in ("a.mkv", "b.mkv"):
        make_clip(Path("in") / name, count=3, width=96, height=64)
    for name, steady in (("each", 0.0), ("steady", 1.0)):
        assert stylize("in", f"{name}/", style=Boiling(), steady=steady).failures == []
    for name in ("a.mkv", "b.mkv"):
        each, steadied = decoded(Path("each") / name), decoded(Path("steady") / name)
        assert np.array_equal(each[0], steadied[0])
        assert not np.array_equal(each[1], steadied[1])


def test_the_photo_of_a_mask_or_of_strength_stays_exact() -> None:
    """Black parts are as they are without steadying, and the same is true of half a style."""
    clip = make_clip(Path("clip.mkv"), count=4, width=96, height=64, pix_fmt="yuv444p")
    frames = decoded(clip)
    style, steadier = Boiling(), Steadier(SteadySettings())
    layer = Image.new("L", (96, 64))
    layer.paste(255, (0, 0, 48, 64))
    half = Boiling()
    half.settings = StylizerSettings(strength=0.5)
    for number, pixels in enumerate(frames):
        steady = steadier(pixels, number / 25, style.frame)
        masked = style.finish(steady, pixels, Mask((layer,)))
        assert np.array_equal(masked[:, 48:], pixels[:, 48:])
        assert np.array_equal(masked[:, :48], steady[:, :48])
        mixed = half.finish(steady, pixels)
        assert np.abs(mixed - (pixels.astype(float) + steady) / 2).max() <= 1


def test_without_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames one by one and one notice, or a sentence if it was asked for."""
    monkeypatch.setitem(sys.modules, "cv2", None)
    make_clip(Path("clip.mkv"), count=2)
    [note] = stylize("clip.mkv", "out.mkv", steady="auto").notes
    assert "fasttransfer[video]" in note
    assert len(decoded(Path("out.mkv"))) == 2
    with pytest.raises(FastTransferError, match=r"steady=.*fasttransfer\[video\]"):
        stylize("clip.mkv", "out.mkv", style=Boiling(), steady=1)
