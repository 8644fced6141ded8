"""Picture files in, picture files out, in threads."""

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image

from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.progress import Report
from fasttransfer.images.reading import Picture
from fasttransfer.large.settings import TileSettings
from fasttransfer.pipeline.jobs import Job
from fasttransfer.pipeline.media import open_media
from fasttransfer.pipeline.pictures import PictureSink
from fasttransfer.pipeline.planning import plan
from fasttransfer.pipeline.runner import Sink, Source, stylize_all
from fasttransfer.pipeline.settings import MediaSettings
from fasttransfer.stylizing.stylizer import Stylizer
from fasttransfer.video.settings import VideoSettings

TILING = TileSettings(tiles="auto", memory=2_000_000, tile=64, thumbnail=64)
VIDEO = VideoSettings(codec="auto", crf=20, preset="auto", threads=1, queue=2)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("photos/in").mkdir(parents=True)
    for number in range(12):
        Image.new("RGB", (8 + number, 6), (number, 0, 0)).save(f"photos/in/{number:02}.png")
    return tmp_path


def media(
    report: Report, inputs: Sequence[str] = ("photos",), **changed: Any
) -> tuple[Source[Picture], Sink[Picture]]:
    settings = MediaSettings(TILING, VIDEO, **({"quality": 90, "max_pixels": 10_000} | changed))
    jobs = plan(inputs, "out", "wood", False, report, format=None, shard=None)
    [pipeline] = open_media(jobs, Same(), settings, report)
    return pipeline.source, pipeline.sink


class Same(Stylizer):
    """The network that changes nothing."""

    bytes_per_pixel = 200.0
    name = "same"

    def __init__(self) -> None:
        self.engine = SimpleNamespace(device=torch.device("cpu"))  # type: ignore[assignment]

    def __call__(self, content: torch.Tensor, mask: object = None) -> torch.Tensor:
        return content


def copy(source: Source[Picture], sink: Sink[Picture]) -> list[Path]:
    seen = []
    with source, sink:
        for job, picture in source:
            seen.append(job.input)
            sink.write(job, picture)
    return seen


def test_pictures_come_in_order_and_arrive_whole() -> None:
    report = Report()
    source, sink = media(report)
    assert source.total == 12
    seen = copy(source, sink)
    assert seen == sorted(seen)
    assert len(report.done) == 12
    assert report.failures == []
    assert sorted(os.listdir("out/in")) == [f"{number:02}.png" for number in range(12)]
    with Image.open("out/in/07.png") as image:
        assert image.size == (15, 6)
        assert image.getpixel((0, 0)) == (7, 0, 0)


def test_bad_files_are_named_and_the_others_done() -> None:
    Path("photos/in/03.png").write_bytes(b"")
    Path("photos/in/05.png").write_bytes(Path("photos/in/05.png").read_bytes()[:45])
    report = Report()
    copy(*media(report))
    assert len(report.done) == 10
    assert [failure.split()[0] for failure in report.failures] == [
        "photos/in/03.png",
        "photos/in/05.png",
    ]


def test_what_is_left_of_a_damaged_picture_is_done() -> None:
    noise = torch.randint(0, 256, (60, 60, 3), dtype=torch.uint8)
    Image.fromarray(noise.numpy()).save("photos/in/05.png")
    whole = Path("photos/in/05.png").read_bytes()
    Path("photos/in/05.png").write_bytes(whole[: len(whole) * 3 // 4])
    report = Report()
    copy(*media(report))
    assert len(report.done) == 12
    [damage] = report.damages
    assert damage.startswith("photos/in/05.png: its end is missing, and with it 2")
    report = Report()
    copy(*media(report, overwrite=True, damaged_up_to=0.1))
    assert len(report.done) == 11
    assert "more than damaged_up_to=0.1" in report.failures[0]


@pytest.mark.parametrize("metadata", ["keep", "none"])
def test_metadata_is_kept_or_not(metadata: str) -> None:
    exif = Image.Exif()
    exif[0x0110], exif[0x0112] = "Camera 1", 6
    Image.new("RGB", (8, 6)).save("photos/in/05.png", exif=exif, dpi=(300, 300))
    copy(*media(Report(), metadata=metadata))
    with Image.open("out/in/05.png") as image:
        assert image.size == (6, 8)
        expected = {0x0110: "Camera 1", 0x0112: 1} if metadata == "keep" else {}
        assert dict(image.getexif()) == expected
        assert ("dpi" in image.info) == (metadata == "keep")


def test_metadata_is_one_of_two_words() -> None:
    with pytest.raises(FastTransferError, match="metadata=all must be one of keep, none"):
        media(Report(), metadata="all")


def test_finished_outputs_are_skipped_unless_told() -> None:
    copy(*media(Report()))
    os.remove("out/in/04.png")
    report = Report()
    assert copy(*media(report)) == [Path("photos/in/04.png")]
    assert len(report.skipped) == 11
    assert len(copy(*media(Report(), overwrite=True))) == 12


def test_output_that_cannot_be_written_is_reported() -> None:
    Path("out").write_text("a file where the folder should be")
    report = Report()
    copy(*media(report))
    assert report.done == []
    assert len(report.failures) == 12


def test_reading_ahead_is_bounded() -> None:
    report = Report()
    source, sink = media(report)
    with source, sink:
        pictures = iter(source)
        next(pictures)
        time.sleep(0.3)  # in which all twelve could be read
        for number in range(4, 12):  # two workers and one more are at work, and one was taken
            Path(f"photos/in/{number:02}.png").unlink()
        assert [job.input.name for job, _ in pictures] == ["01.png", "02.png", "03.png"]
    assert len(report.failures) == 8


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_leaves_nothing_half_written(error: type[BaseException]) -> None:
    before = set(threading.enumerate())
    source, sink = media(Report())

    def interrupted() -> None:
        with source, sink:
            for number, (job, picture) in enumerate(source):
                sink.write(job, picture)
                if number == 5:
                    raise error

    with pytest.raises(error):
        interrupted()
    for name in os.listdir("out/in"):
        assert not name.endswith(".part")
        with Image.open(Path("out/in", name)) as image:
            image.load()
    assert set(threading.enumerate()) <= before


def test_a_fault_of_ours_is_named_with_its_type_and_the_rest_is_done() -> None:
    report = Report()
    five = Picture(torch.zeros(5, 4, 4), None)  # channels
    settings = MediaSettings(TILING, VIDEO)
    with PictureSink(settings, report) as sink:
        sink.write(Job(Path("a.png"), Path("out/a.png")), five)
        sink.write(Job(Path("b.png"), Path("out/b.png")), Picture(torch.zeros(3, 4, 4), None))
    (failure,) = report.failures
    assert failure.startswith("a.png cannot be stylized (TypeError: ")
    assert report.done == [Path("out/b.png")]


def test_what_a_stylizer_raises_costs_one_file() -> None:
    class Odd(Same):
        def __call__(self, content: torch.Tensor, mask: object = None) -> torch.Tensor:
            if content.shape[-1] == 12:
                raise ZeroDivisionError("no such luck")
            return content

    report = Report()
    jobs = plan(["photos"], "out", "wood", False, report, format=None, shard=None)
    for pipeline in open_media(jobs, Odd(), MediaSettings(TILING, VIDEO), report):
        stylize_all(pipeline, report)
    assert report.failures == [
        "photos/in/04.png cannot be stylized (ZeroDivisionError: no such luck)"
    ]
    assert len(report.done) == 11


def test_names_that_are_too_long_cost_themselves_only() -> None:
    long = "x" * 300 + ".png"
    report = Report()
    jobs = plan(["photos", long], "out", "wood", False, report, format=None, shard=None)
    for pipeline in open_media(jobs, Same(), MediaSettings(TILING, VIDEO), report):
        stylize_all(pipeline, report)
    assert len(report.done) == 12
    (failure,) = report.failures
    assert failure.startswith(long)
    assert "too long" in failure


def test_notes_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save("moving.gif", save_all=True, append_images=frames[1:])
    copy(*media(Report(), ["moving.gif"]))
    assert "moving.gif: has 2 frames" in capsys.readouterr().err
    assert os.listdir("out") == ["moving.png"]


@pytest.mark.parametrize("name", ["quality", "max_pixels", "workers"])
@pytest.mark.parametrize("value", [0, "many"])
def test_what_cannot_be_used_is_named(name: str, value: object) -> None:
    with pytest.raises(FastTransferError, match=f"{name}="):
        MediaSettings(TILING, VIDEO, **{name: value})  # type: ignore[arg-type]
