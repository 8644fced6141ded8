"""The command as a person uses it, on a network that is tiny."""

import os
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import hydra
import pytest
import torch
from hydra.core.hydra_config import HydraConfig
from PIL import Image

from fasttransfer.cli.infer import chosen_task, main
from fasttransfer.core.assets import CONF_DIR
from fasttransfer.images.reading import read_picture
from fasttransfer.models.style_file import save_style
from fasttransfer.models.transformer_net import TransformerNet
from tests.helpers.clips import decoded, make_clip
from tests.helpers.commands import Command
from tests.helpers.commands import run as run_command

SCRIPT = Path(__file__).parents[2] / "infer.py"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    for name in ("wood", "ink"):
        save_style(f"{name}.safetensors", TransformerNet([4, 8], 1, 3, 2, False), {"name": name})
    Path("photos/in").mkdir(parents=True)
    for number in range(4):
        size = (20 + number, 15)
        Image.effect_noise(size, 80).convert("RGB").save(f"photos/in/{number}.png")
    Image.linear_gradient("L").resize((40, 30)).convert("RGB").save("photo.png")
    return tmp_path


def infer(monkeypatch: pytest.MonkeyPatch, *typed: str) -> int:
    monkeypatch.setattr(sys, "argv", ["infer.py", "engine=torch", "device=cpu", *typed])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def rgb(path: str) -> torch.Tensor:
    return read_picture(Path(path), max_pixels=10**6).rgb


def test_one_picture(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    before = set(os.listdir())
    assert infer(monkeypatch, "style=wood.safetensors", "input=photo.png") == 0
    assert set(os.listdir()) - before == {"photo-wood.png"}  # no folders, no log files
    assert rgb("photo-wood.png").shape == (3, 30, 40)
    assert "wrote photo-wood.png" in capsys.readouterr().err


def test_settings_reach_the_stylizer(monkeypatch: pytest.MonkeyPatch) -> None:
    common = ("style=wood.safetensors", "input=photo.png")
    assert infer(monkeypatch, *common, "output=same.png", "strength=0") == 0
    assert torch.equal(rgb("same.png"), rgb("photo.png"))
    assert infer(monkeypatch, *common, "output=small.png", "size=20") == 0
    assert rgb("small.png").shape == (3, 15, 20)
    assert infer(monkeypatch, *common, "output=gray.png", "color=content") == 0
    gray = rgb("gray.png")
    assert (gray[0] - gray[2]).abs().max() <= 1.5 / 255  # a gray photo stays gray
    assert infer(monkeypatch, *common, "output=a.jpg", "quality=10") == 0
    assert infer(monkeypatch, *common, "output=b.jpg", "quality=95") == 0
    assert Path("a.jpg").stat().st_size < Path("b.jpg").stat().st_size


def test_folder_with_a_bad_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("photos/bad.jpg").write_text("no picture")
    common = ("style=wood.safetensors", "input=photos/", "output=out/")
    assert infer(monkeypatch, *common) == 1
    assert "1 file failed:\n  photos/bad.jpg" in capsys.readouterr().err
    assert sorted(os.listdir("out/in")) == ["0.png", "1.png", "2.png", "3.png"]
    os.remove("photos/bad.jpg")
    written = Path("out/in/0.png").stat().st_mtime_ns
    assert infer(monkeypatch, *common) == 0
    assert Path("out/in/0.png").stat().st_mtime_ns == written
    assert "skipped 4 files" in capsys.readouterr().err
    assert infer(monkeypatch, *common, "overwrite=true") == 0
    assert Path("out/in/0.png").stat().st_mtime_ns > written


def test_several_styles(monkeypatch: pytest.MonkeyPatch) -> None:
    both = "style=[wood.safetensors,ink.safetensors]"
    assert infer(monkeypatch, both, "input=photo.png", "output=x.png") == 0
    assert Path("x-wood.png").exists()
    assert Path("x-ink.png").exists()
    assert infer(monkeypatch, both, "input=photos", "output=out") == 0
    assert sorted(os.listdir("out")) == ["ink", "wood"]


def test_two_runs_of_one_painting_have_distinct_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for run in ("monday", "tuesday"):
        Path("runs", run).mkdir(parents=True)
        shutil.copy("wood.safetensors", f"runs/{run}/style.safetensors")
    styles = "style=[runs/monday,runs/tuesday,ink.safetensors,ink.safetensors]"
    assert infer(monkeypatch, styles, "input=photo.png", "output=out/") == 0
    assert sorted(os.listdir("out")) == ["ink", "wood-monday", "wood-tuesday"]


def test_a_task_and_its_older_spelling_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for task, older in (("task=export", "export=onnx"), ("task=list", "list=true")):
        tasks = []
        for typed in (task, older):
            with hydra.initialize_config_dir(str(CONF_DIR / "infer"), version_base="1.3"):
                config = hydra.compose("infer", [typed], return_hydra_config=True)
            monkeypatch.setattr(HydraConfig.instance(), "cfg", config)
            tasks.append(chosen_task(config))
        assert tasks[0] == tasks[1]


def test_pattern_and_list(monkeypatch: pytest.MonkeyPatch) -> None:
    style = "style=wood.safetensors"
    assert infer(monkeypatch, style, "input=photos/**/[12].png", "output=out") == 0
    assert sorted(os.listdir("out/in")) == ["1.png", "2.png"]
    assert infer(monkeypatch, style, "input=[photo.png,photos/in/3.png]", "output=two/") == 0
    assert sorted(os.listdir("two")) == ["3.png", "photo.png"]


@pytest.mark.parametrize("name", ["my photo (1).png", "a=b.png", "ünïcode.png", "it's, [1].png"])
def test_names_as_people_type_them(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    os.rename("photo.png", name)
    os.rename("wood.safetensors", "my style=1.safetensors")
    typed = ("style=my style=1.safetensors", f"input={name}", f"output=out/{name}")
    assert infer(monkeypatch, *typed) == 0
    assert os.listdir("out") == [name]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["style=wood.safetensors"], "input= is missing"),
        (["style=wood.safetensors", "input=none.jpg"], "does not exist"),
        (["style=none", "input=photo.png"], "none"),
        (["style=wood.safetensors", "input=photo.png", "strenght=1"], "did you mean strength?"),
        (["style=wood.safetensors", "input=photo.png", "strength=2"], "from 0 to 1"),
        (["style=wood.safetensors", "input=photo.png", "output=photo.png"], "overwrite"),
        (["style=wood.safetensors", "input=photo.png", "output=a.xyz"], ".png"),
        (["style=wood.safetensors", "input=photo.png", "task=live", "export=onnx"], "task=live"),
        (["style=wood.safetensors", "input=photo.png", "task=volumes"], "did you mean volume?"),
        (["input=photo.png", "style=photo.png"], "photo.png"),
    ],
)
def test_mistakes(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: list[str],
    words: str,
) -> None:
    assert infer(monkeypatch, *typed) == 2
    printed = capsys.readouterr().err
    assert words in printed
    assert printed.count("\n") == 1
    assert "Traceback" not in printed


def test_help(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert infer(monkeypatch, "--help") == 0
    printed = capsys.readouterr().out
    for setting in ("input=", "output=", "style=", "size=", "color=", "strength=", "overwrite="):
        assert setting in printed


@pytest.mark.slow
def test_interrupted_and_run_again(tmp_path: Path) -> None:
    for number in range(80):
        Image.effect_noise((200, 200), 80).convert("RGB").save(f"photos/{number:03}.png")
    typed = ("style=wood.safetensors", "input=photos", "output=out", "engine=torch", "device=cpu")
    process = Command("infer", *typed, cwd=tmp_path)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("out/*.png")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    stopped = process.wait()
    assert stopped.returncode == 130, stopped
    assert "Traceback" not in stopped.stderr
    done = list(tmp_path.glob("out/**/*.*"))
    assert 0 < len(done) < 84
    assert not list(tmp_path.rglob("*.part"))
    for path in done:
        if path.is_file():
            rgb(str(path))
    again = run_command("infer", *typed, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "skipped" in again.stderr
    assert len(list(tmp_path.glob("out/**/*.png"))) == 84


@pytest.mark.slow
def test_pictures_and_videos_in_one_folder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_clip(Path("photos/clip.mp4"), count=5)
    make_clip(Path("photos/in/other.avi"), count=4, codec="mpeg4", time_base=Fraction(1, 30))
    Path("photos/in/bad.mov").write_text("no video")
    both = "style=[wood.safetensors,ink.safetensors]"
    assert infer(monkeypatch, both, "input=photos", "output=out/", "size=32") == 1
    printed = capsys.readouterr().err
    assert "2 files failed:\n  photos/in/bad.mov" in printed  # once for each style
    assert "frames/s" in printed or "s/frame" in printed  # on a busy machine
    for style in ("wood", "ink"):
        assert sorted(os.listdir(f"out/{style}")) == ["clip.mp4", "in"]
        assert sorted(os.listdir(f"out/{style}/in")) == [
            *(f"{n}.png" for n in range(4)),
            "other.mkv",
        ]
        assert [frame.shape for frame in decoded(Path(f"out/{style}/clip.mp4"))] == [
            (24, 32, 3)
        ] * 5
    os.remove("photos/in/bad.mov")
    assert infer(monkeypatch, both, "input=photos", "output=out/") == 0
    assert "skipped 12 files" in capsys.readouterr().err


@pytest.mark.slow
def test_video_settings_reach_the_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    make_clip(Path("clip.mp4"), count=10, width=160, height=120)
    common = ("style=wood.safetensors", "input=clip.mp4")
    assert infer(monkeypatch, *common) == 0
    assert len(decoded(Path("clip-wood.mp4"))) == 10
    assert infer(monkeypatch, *common, "output=a.mp4", "video.crf=10", "video.threads=1") == 0
    assert infer(monkeypatch, *common, "output=b.mp4", "video.crf=40", "video.preset=fast") == 0
    assert Path("b.mp4").stat().st_size < Path("a.mp4").stat().st_size / 2
    assert infer(monkeypatch, *common, "format=webm") == 0
    assert len(decoded(Path("clip-wood.webm"))) == 10


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["input=clip.mp4", "output=out.png"], "clip.mp4 is a video and cannot become out.png"),
        (["input=photo.png", "output=out.mp4"], "photo.png is not a video"),
        (["input=clip.mp4", "output=out.avi"], "must be one of .mp4 .m4v .mov .mkv .webm"),
        (["input=clip.mp4", "format=png"], "format=png is for pictures"),
        (["input=clip.mp4", "output=clip.mp4"], "overwrite"),
        (["input=clip.mp4", "video.crf=-3"], "video.crf=-3"),
        (["input=[clip.mp4,photo.png]", "output=out.mp4"], "may hold several"),
    ],
)
def test_mistakes_with_videos(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: list[str],
    words: str,
) -> None:
    make_clip(Path("clip.mp4"), count=2)
    assert infer(monkeypatch, "style=wood.safetensors", *typed) == 2
    printed = capsys.readouterr().err
    assert words in printed
    assert printed.count("\n") == 1


ENDINGS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGKILL: -9}


@pytest.mark.slow
@pytest.mark.parametrize("number", ENDINGS)
def test_an_interrupted_video_leaves_no_half_file(tmp_path: Path, number: signal.Signals) -> None:
    make_clip(Path("clip.mp4"), count=3000)
    typed = ("style=wood.safetensors", "input=clip.mp4", "output=out/clip.mp4")
    process = Command("infer", *typed, "engine=torch", "device=cpu", cwd=tmp_path)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("out/.*.part")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    ended = process.wait()
    assert ended.returncode == ENDINGS[number], ended
    assert "Traceback" not in ended.stderr
    assert not Path("out/clip.mp4").exists()
    if number != signal.SIGKILL:  # nobody can clean up after that
        assert os.listdir("out") == []


@pytest.mark.slow
def test_without_stderr_pictures_are_what_they_are_with_it(tmp_path: Path) -> None:
    common = [sys.executable, str(SCRIPT), "style=wood.safetensors", "engine=torch", "device=cpu"]
    for output, closing in (("with.png", ""), ("without.png", " 2>&- 1>&- 0<&-")):
        typed = [*common, "input=photo.png", f"output={output}"]
        subprocess.run(["sh", "-c", f'exec "$@"{closing}', "sh", *typed], check=True)
    assert Path("without.png").read_bytes() == Path("with.png").read_bytes()
    (tmp_path / "bad.jpg").write_text("no picture")
    done = subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *common, "input=bad.jpg"])
    assert done.returncode == 1


@pytest.mark.slow
def test_a_file_that_cannot_grow_is_one_sentence(tmp_path: Path) -> None:
    make_clip(Path("clip.mp4"), count=60, width=320, height=240)
    code = (
        "import resource, runpy, sys; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)); "
        f"sys.argv[0] = {str(SCRIPT)!r}; sys.path.insert(0, {str(SCRIPT.parent)!r}); "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    typed = [
        "style=wood.safetensors",
        "input=clip.mp4",
        "output=out/clip.mp4",
        "engine=torch",
        "device=cpu",
    ]
    done = subprocess.run(
        [sys.executable, "-c", code, *typed, "video.crf=1"], stderr=subprocess.PIPE, text=True
    )
    assert done.returncode == 1, done.stderr
    assert "1 file failed:\n  clip.mp4: out/clip.mp4 cannot be written" in done.stderr
    assert "files as large as that are not allowed here" in done.stderr
    assert "Traceback" not in done.stderr
    assert os.listdir("out") == []
