"""Videos with masks: a still, a clip, and a folder of both."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from fasttransfer.core.progress import Report
from fasttransfer.large.settings import TileSettings
from fasttransfer.models.style_file import StyleFile
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.pipeline.jobs import Job
from fasttransfer.pipeline.media import open_media
from fasttransfer.pipeline.runner import stylize_all
from fasttransfer.pipeline.settings import MediaSettings
from fasttransfer.pipeline.videos import ClipFrame
from fasttransfer.stylizing.settings import (
    EngineSettings,
    MaskSettings,
    SteadySettings,
    StylizerSettings,
)
from fasttransfer.stylizing.stylizer import Stylizer
from fasttransfer.video.settings import VideoSettings
from fasttransfer.video.turning import as_shown, as_stored
from tests.helpers.clips import make_clip, times_of
from tests.helpers.persons import make_person_model

TILING = TileSettings(tiles="auto", memory=None, tile=64, thumbnail=64)
VIDEO = VideoSettings(codec="auto", crf=20, preset="auto", threads=1, queue=2)
ONE = 1 << 16
TURNED = (0, ONE, 0, -ONE, 0, 0, 0, 0, 1 << 30)  # shown turned clockwise
MIRRORED = (-ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stylizer() -> Stylizer:
    torch.manual_seed(0)
    style = StyleFile(TransformerNet([4, 8], 1, 3, 2, False), "test", {})
    return Stylizer(style, StylizerSettings(), EngineSettings("torch", "cpu", "float32"))


def masks(path: str, pixels: Sequence[np.ndarray], rate: int = 30) -> None:
    """A lossless clip of masks."""
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate)
        stream.height, stream.width = pixels[0].shape
        stream.pix_fmt = "bgr0"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for number, gray in enumerate(pixels):
            frame = av.VideoFrame.from_ndarray(np.stack([gray] * 3, -1), "rgb24")
            frame = frame.reformat(format="bgr0")
            frame.pts, frame.time_base = round(1000 * number / rate), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def half(column: int, width: int = 64, height: int = 48) -> np.ndarray:
    """White from ``column`` on."""
    pixels = np.zeros((height, width), np.uint8)
    pixels[:, column:] = 255
    return pixels


def stylized(
    report: Report, clip: str, **mask: object
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Of each frame: as it was, with the mask, and without it."""
    run, found = stylizer(), []
    frames = SteadySettings(0)  # each by itself
    settings = MediaSettings(TILING, VIDEO, mask=MaskSettings(feather=0, **mask), steady=frames)
    [pipeline] = open_media([Job(Path(clip), Path("out.mkv"))], run, settings, report)
    with pipeline.source as source:
        for _, frame in source:
            masked = pipeline.stylizer(frame)
            assert isinstance(masked, ClipFrame)
            found.append((frame.pixels, masked.pixels, run.frame(frame.pixels)))
    return found


def border(frame: tuple[np.ndarray, np.ndarray, np.ndarray]) -> int:
    """The column from which a frame is stylized; left of it, it is exactly itself."""
    photo, masked, full = frame
    for column in range(photo.shape[1] + 1):
        if np.array_equal(masked[:, column:], full[:, column:]):
            assert np.array_equal(masked[:, :column], photo[:, :column])
            return column
    raise AssertionError("nothing is stylized")


def test_a_still_masks_every_frame() -> None:
    make_clip(Path("clip.mp4"), count=5)
    Image.fromarray(half(20)).save("mask.png")
    assert [border(frame) for frame in stylized(Report(), "clip.mp4", path="mask.png")] == [20] * 5


def test_a_clip_of_masks_frame_by_frame(capsys: pytest.CaptureFixture[str]) -> None:
    make_clip(Path("clip.mp4"), count=6)
    masks("mask.mkv", [half(8 * number) for number in range(6)])
    frames = stylized(Report(), "clip.mp4", path="mask.mkv")
    assert [border(frame) for frame in frames] == [0, 8, 16, 24, 32, 40]
    assert capsys.readouterr().err == ""


def test_masks_of_another_rate_belong_by_time_and_the_last_one_stays(
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_clip(Path("clip.mp4"), count=8, rate=30)
    masks("mask.mkv", [half(16), half(32), half(48)], rate=15)
    frames = stylized(Report(), "clip.mp4", path="mask.mkv")
    assert [border(frame) for frame in frames] == [16, 16, 32, 32, 48, 48, 48, 48]
    assert "clip.mp4: is 2 frames longer than its masks in mask.mkv; the last one stays" in (
        capsys.readouterr().err
    )


def test_invert_and_strength_of_clips() -> None:
    make_clip(Path("clip.mp4"), count=3)
    masks("mask.mkv", [255 - half(10 * number) for number in range(3)])
    Image.fromarray(half(16)).save("strength.png")
    frames = stylized(Report(), "clip.mp4", path="mask.mkv", invert=True, strength="strength.png")
    assert [border(frame) for frame in frames] == [16, 16, 20]


def test_a_folder_has_stills_and_clips() -> None:
    make_clip(Path("a.mp4"), count=3)
    Path("masks").mkdir()
    masks("masks/a.mkv", [half(16), half(24), half(32)])
    Image.fromarray(half(8)).save("masks/b.png")
    assert [border(one) for one in stylized(Report(), "a.mp4", path="masks")] == [16, 24, 32]
    make_clip(Path("b.mp4"), count=1)
    assert [border(one) for one in stylized(Report(), "b.mp4", path="masks")] == [8]


@pytest.mark.parametrize("matrix", [TURNED, MIRRORED])
def test_a_mask_fits_the_clip_as_it_is_shown(matrix: tuple[int, ...]) -> None:
    make_clip(Path("clip.mp4"), count=1, display_matrix=matrix)
    mask = half(20, 48, 64) if matrix == TURNED else half(20)
    Image.fromarray(mask).save("mask.png")
    [(photo, masked, full)] = stylized(Report(), "clip.mp4", path="mask.png")
    turned = [
        np.rot90(one, -1) if matrix == TURNED else one[:, ::-1] for one in (photo, masked, full)
    ]
    assert border(tuple(turned)) == 20


def test_a_model_finds_the_mask_of_each_frame() -> None:
    masks("clip.mkv", [half(16), half(32), half(48)])  # as a clip, it is bright on the right
    make_person_model(Path("model.onnx"), size=(48, 64))
    frames = stylized(Report(), "clip.mkv", path="person", model="model.onnx")
    assert [border(frame) for frame in frames] == [16, 32, 48]


@pytest.mark.parametrize("a", [1, -1])
@pytest.mark.parametrize("b", [1, -1])
@pytest.mark.parametrize("lying", [False, True])
def test_stored_and_shown_undo_each_other(a: int, b: int, lying: bool) -> None:
    matrix = (0, a, 0, b, 0, 0) if lying else (a, 0, 0, 0, b, 0)
    image = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4))
    assert np.array_equal(as_shown(as_stored(image, matrix), matrix), image)
    shown = np.asarray(as_shown(image, matrix))
    for y, x in np.ndindex(3, 4):  # x' = a·x + c·y, y' = b·x + d·y, moved to where it starts at 0
        along_a, along_b = (x if a > 0 else ~x), (y if b > 0 else ~y)  # from the other end
        row, column = (along_a, along_b) if lying else (along_b, along_a)
        assert shown[row, column] == np.asarray(image)[y, x]


def test_the_written_clip_has_all_frames() -> None:
    make_clip(Path("clip.mp4"), count=5)
    masks("mask.mkv", [half(32)] * 2)
    report = Report()
    settings = MediaSettings(
        TILING, VIDEO, mask=MaskSettings(path="mask.mkv"), steady=SteadySettings(0)
    )
    for pipeline in open_media(
        [Job(Path("clip.mp4"), Path("out.mp4"))], stylizer(), settings, report
    ):
        stylize_all(pipeline, report)
    assert report.failures == []
    assert times_of(Path("out.mp4")) == times_of(Path("clip.mp4"))


@pytest.mark.parametrize(
    ("name", "mask", "sentence"),
    [
        ("clip.mp4", "alpha", "clip.mp4 is a video, and mask=alpha is for pictures"),
        ("clip.mp4", "broken.mkv", "broken.mkv cannot be used as masks: "),
        ("clip.mp4", "other", "clip.mp4 has no mask in mask=other"),
        ("photo.png", "mask.mkv", "photo.png is a picture, and mask=mask.mkv is a video"),
    ],
)
def test_masks_that_do_not_fit_fail_in_one_sentence(name: str, mask: str, sentence: str) -> None:
    make_clip(Path("clip.mp4"), count=2)
    Path("broken.mkv").write_bytes(b"no video")
    Path("other").mkdir()
    Image.new("L", (64, 48)).save("other/mask.png")
    Image.new("RGB", (64, 48)).save("photo.png")
    masks("mask.mkv", [half(32)])
    report = Report()
    settings = MediaSettings(TILING, VIDEO, mask=MaskSettings(path=mask), steady=SteadySettings(0))
    jobs = [Job(Path(name), Path("out").with_suffix(Path(name).suffix))]
    for pipeline in open_media(jobs, stylizer(), settings, report):
        stylize_all(pipeline, report)
    [failure] = report.failures
    assert sentence in failure
    assert not jobs[0].output.exists()
