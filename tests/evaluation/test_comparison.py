"""Comparisons by the command: tables, TensorBoard, and the page."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from fasttransfer.cli.infer import main
from fasttransfer.evaluation.comparison import labels
from fasttransfer.models.style_file import load_style, milestone_file, save_style
from fasttransfer.models.transformer_net import TransformerNet
from tests.helpers.clips import make_clip
from tests.helpers.photos import make_photo


@dataclass(frozen=True)
class Done:
    """What a command has printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def compare(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """The command, as it is typed in the folder of ``runs``."""

    def run(*typed: str) -> Done:
        monkeypatch.chdir(runs)
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(sys, "argv", ["infer.py", "compare=true", "engine=torch", *typed])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture
def runs(tmp_path):
    """Two run folders, of which one has kept its style image, and a style that is bundled."""
    for number, name in enumerate(("first", "second")):
        torch.manual_seed(number)
        network = TransformerNet([4], 1, 3, 1, False)
        save_style(tmp_path / name / "style.safetensors", network, {"name": "painting", "steps": 5})
    make_photo(tmp_path / "first" / "style.png", 64, 64)
    bundled = {"training": {"style": {"path": "mosaic", "size": 64}}, "name": "mosaic"}
    save_style(tmp_path / "mosaic.safetensors", network, bundled)
    return tmp_path


@pytest.mark.slow
def test_styles_are_compared_in_tensorboard(runs, compare):
    for number in range(2):
        make_photo(runs / "photos" / f"photo{number}.jpg", 60, 40, seed=number)
    done = compare("style=[first,second,mosaic.safetensors]", "input=photos", "log_dir=logs")
    assert done.returncode == 0, done.stderr
    assert "second" in done.stdout
    assert "tensorboard --logdir logs" in done.stdout
    grids = EventAccumulator(str(runs / "logs"), size_guidance={"images": 0}).Reload()
    assert set(grids.Tags()["images"]) == {"compare/photo0", "compare/photo1"}
    for name, scored in (("first", True), ("second", False), ("mosaic", True)):
        events = EventAccumulator(str(runs / "logs" / name)).Reload()
        tags = events.Tags()["scalars"]
        [mean] = events.Scalars("compare/milliseconds")
        photos = [events.Scalars(f"photos/photo{number}/milliseconds") for number in range(2)]
        assert [event.step for [event] in photos] == [mean.step, mean.step]
        assert mean.value == pytest.approx(sum(event.value for [event] in photos) / 2)
        assert ("compare/balanced_total" in tags) == scored


@pytest.mark.slow
def test_steps_of_a_run_are_a_curve(runs, compare):
    make_photo(runs / "photo.jpg", 60, 40)
    style = load_style(runs / "first" / "style.safetensors")
    save_style(milestone_file(runs / "first", 3), style.network, {"name": "painting", "steps": 3})
    done = compare("style=first@3,first,second", "input=photo.jpg", "log_dir=logs")
    assert done.returncode == 0, done.stderr
    curve = EventAccumulator(str(runs / "logs" / "first")).Reload().Scalars("steps/milliseconds")
    assert [event.step for event in curve] == [3, 5]
    means = json.loads((runs / "logs" / "evaluation.json").read_text())["means"]
    assert list(means) == ["first@3", "first", "second"]
    tags = EventAccumulator(str(runs / "logs" / "second")).Reload().Tags()["scalars"]
    assert not [tag for tag in tags if tag.startswith("steps/")]


@pytest.mark.slow
def test_sizes_and_the_limit_are_in_the_table_the_json_file_and_the_page(runs, compare):
    make_photo(runs / "photo.jpg", 90, 70)
    make_photo(runs / "narrow.png", 90, 7)
    done = compare(
        "style=[first,second]",
        "input=[photo.jpg,narrow.png]",
        "comparison.sizes=[64,90]",
        "comparison.limit=2",
        "log_dir=logs",
    )
    assert done.returncode == 0, done.stderr
    assert "left out: narrow.png has 90×7 pixels" in done.stdout
    assert "first at 64" in done.stdout
    assert "× limit" in done.stdout
    figures = json.loads((runs / "logs" / "evaluation.json").read_text())
    assert set(figures["means"]) == {f"{n} at {s}" for n in ("first", "second") for s in (64, 90)}
    assert set(figures["photos"]) == {"photo at 64", "photo at 90"}
    first = figures["photos"]["photo at 90"]["first at 90"]
    assert first["balanced_times_limit"] > 0
    assert first["balanced_iterations_noise"] in (None, 0, 1, 2)
    assert {"checkerboard", "droplets", "border_contrast"} <= first.keys()
    unknown = figures["means"]["second at 90"]  # its style image is not known
    assert "balanced_total" not in unknown
    assert unknown["balanced_content"] > 0
    assert "name the image by --painting painting.jpg" in done.stdout
    assert "never" in done.stdout or None not in first.values()
    page = (runs / "logs" / "index.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 2 * 3  # the photo and both styles, at two sizes
    events = EventAccumulator(str(runs / "logs" / "first-at-64")).Reload()
    assert "compare/johnson_times_limit" in events.Tags()["scalars"]


@pytest.mark.slow
def test_a_painting_is_given_to_styles_that_have_none_with_them(runs, compare):
    make_photo(runs / "photo.jpg", 90, 70)
    make_photo(runs / "a, painting.png", 64, 64)  # what "first" has as its own
    typed = ("style=[first,second]", "input=photo.jpg", "log_dir=logs")
    done = compare(*typed, "comparison.style=a, painting.png")
    assert done.returncode == 0, done.stderr
    means = json.loads((runs / "logs" / "evaluation.json").read_text())["means"]
    assert means["second"]["balanced_total"] > 0
    assert means["second"].keys() == means["first"].keys()


@pytest.mark.slow
def test_clips_are_compared_by_their_first_frame_and_their_flicker(runs, compare):
    make_clip(runs / "still.mp4", count=4)
    make_clip(runs / "short.mkv", count=1)
    (runs / "broken.mp4").write_bytes(b"nothing")
    names = ["first", "mosaic.safetensors"]
    done = compare(
        f"style=[{','.join(names)}]",
        "input=[still.mp4,short.mkv,broken.mp4]",
        "log_dir=logs",
        "size=96",
        "comparison.clip_frames=3",
    )
    assert done.returncode == 0, done.stderr
    assert "left out: broken.mp4" in done.stdout
    assert "no flicker of short (video): No two neighboring frames" in done.stdout
    assert "flicker" in done.stdout
    pictures = EventAccumulator(str(runs / "logs"), size_guidance={"images": 0}).Reload()
    assert len(pictures.Tags()["images"]) == 2
    for name in ("first", "mosaic"):
        events = EventAccumulator(str(runs / "logs" / name)).Reload()
        [clip] = (tag for tag in events.Tags()["scalars"] if tag.endswith("_of_input"))
        assert events.Scalars(clip)[0].value >= 0
        [mean] = events.Scalars("compare/flicker")
        assert [mean.step] == [one.step for one in events.Scalars(f"{Path(clip).parent}/flicker")]


@pytest.mark.slow
def test_odd_names_and_one_size_for_all(runs, compare):
    """Names that are markup or no UTF-8, two styles with one folder of logs, and size=."""
    (runs / "first").rename(runs / "a b")
    (runs / "second").rename(runs / "a-b")
    (runs / "mosaic.safetensors").rename(runs / "x[red].safetensors")
    make_photo(runs / "photo.png", 90, 70)
    os.rename(runs / "photo.png", os.fsencode(runs) + b"/caf\xe9.png")
    done = compare(
        "style=[a b,a-b,'x[red].safetensors']",
        "input=*.png",
        "log_dir=logs (1)",
        "size=64",
    )
    assert done.returncode == 0, done.stderr
    assert "x[red]" in done.stdout
    figures = json.loads((runs / "logs (1)" / "evaluation.json").read_text())
    assert set(figures["means"]) == {"a b", "a-b", "x[red]"}
    pictures = EventAccumulator(str(runs / "logs (1)")).Reload().Tags()["images"]
    assert pictures == ["compare/caf?"]
    folders = [path for path in (runs / "logs (1)").iterdir() if path.is_dir()]
    assert {path.name for path in folders} == {"a-b", "a-b-2", "x[red]"}


def test_labels_are_short_and_different(tmp_path):
    paths = [
        tmp_path / "runs" / "a" / "style.safetensors",
        tmp_path / "runs" / "a" / "checkpoints" / "last.ckpt",
        tmp_path / "b.safetensors",
    ]
    assert labels(paths) == ["a", "a-2", "b"]
