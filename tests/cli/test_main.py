"""The command ``fasttransfer`` as it is typed."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from fasttransfer.cli.main import cli, main
from fasttransfer.core.assets import BUNDLED_PHOTOS
from tests.helpers.sites import HAS_RUNTIME

ROOT = Path(__file__).parents[2]
FAST = ("engine=torch", "--device", "cpu", "--size", "48")


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with nothing but a photo."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(BUNDLED_PHOTOS["bundled-probe"] / "coffee.jpg", "photo.jpg")
    return Path("photo.jpg")


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return int(end.value.code or 0)


def typed(command: str, cwd: Path, **options: object) -> subprocess.CompletedProcess[str]:
    """A line of a shell, in which ``fasttransfer`` is this package."""
    python = f"PYTHONPATH={shlex.quote(str(ROOT))} {shlex.quote(sys.executable)} -m fasttransfer"
    return subprocess.run(
        f'fasttransfer() {{ {python} "$@"; }}; {command}',
        shell=True,
        executable="/bin/bash",
        cwd=cwd,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("name", ["a=b, [1].jpg", "[1],{2}.png", 'it\'s "$q".jpg', "-dash.jpg"])
def test_names_of_files_are_taken_as_typed(photo: Path, name: str) -> None:
    photo.rename(name)
    assert run("stylize", "-s", "mosaic", *FAST, "-o", "out/", "--", name) == 0
    assert os.listdir("out") == [name]


def test_a_name_that_is_not_utf_8(photo: Path) -> None:
    name = os.fsdecode(b"caf\xe9=1.jpg")
    photo.rename(name)
    assert run(name, *FAST, "-o", "out/") == 0
    assert os.listdir(b"out") == [b"caf\xe9=1.jpg"]


def test_a_file_called_like_a_setting(photo: Path) -> None:
    photo.rename("size=32")
    shutil.copy("size=32", "size=32.jpg")
    assert run("stylize", "./size=32.jpg", "-s", "mosaic", *FAST) == 0
    assert Image.open("size=32-mosaic.jpg").size[0] == 48


def test_options_and_settings_in_any_order(photo: Path) -> None:
    before = ("--style", "mosaic", "quality=50", "photo.jpg", "strength=0", "--device=cpu")
    assert run(*before, "-o", "out.png", "--engine", "torch", "size=40") == 0
    out = Image.open("out.png").convert("RGB")
    assert max(out.size) == 40
    assert run("photo.jpg", "colour=content", "-o", "styled.png", *FAST) == 0
    assert Image.open("styled.png").convert("RGB").tobytes() != out.tobytes()


def test_several_styles_and_files(photo: Path) -> None:
    shutil.copy(photo, "b.jpg")
    assert run("stylize", "photo.jpg", "b.jpg", "--style", "mosaic,udnie", *FAST) == 0
    assert sorted(os.listdir()) == [
        *("b-mosaic.jpg", "b-udnie.jpg", "b.jpg"),
        *("photo-mosaic.jpg", "photo-udnie.jpg", "photo.jpg"),
    ]


def test_a_blend(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("photo.jpg", "--style", "mosaic:0.6,udnie:0.4", *FAST, "-o", "out.png") == 0
    assert Image.open("out.png").size[0] == 48
    assert run("photo.jpg", "--style", "mosaic:0.6,udnie", *FAST) == 2
    assert "A blend names a weight for each style" in capsys.readouterr().err


def test_some_files_fail(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.jpg").write_text("no picture")
    assert run("bad.jpg", "photo.jpg", *FAST, "-o", "out/") == 1
    assert "bad.jpg" in capsys.readouterr().err
    assert os.listdir("out") == ["photo.jpg"]


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("stylise photo.jpg", "there is no verb or file 'stylise'; did you mean stylize?"),
        ("xyzzy", "there is no verb or file 'xyzzy'; the verbs are stylize, train, "),
        ("stylize", "give a picture, a video, a folder, or a pattern in quotes, such as "),
        ("photo.jpg --strenght 1", "there is no option --strenght; did you mean --strength?"),
        ("photo.jpg --strength", "Option '--strength' requires an argument."),
        ("photo.jpg --strength 0,5", "--strength=0,5 must be a number; write 0.5"),
        ("photo.jpg --size 1.5", "--size=1.5 must be a whole number"),
        ("photo.jpg --engine openvno", "--engine=openvno must be auto, torch, openvino or onnxru"),
        ("photo.jpg strenght=1", "there is no setting strenght and no file 'strenght=1'; did you"),
        ("photo.jpg strength=0,5", "strength=0,5 must be a number; write 0.5."),
        ("photo.jpg strength=2", "strength=2 must be a number from 0 to 1"),
        ("photo.jpg --size 3 size=4", "size is given twice, by --size and by size=; leave one"),
        ("photo.jpg --style mosiac", "There is no style 'mosiac'; did you mean mosaic?"),
        ("none.jpg", "input=none.jpg does not exist"),
        ("stylize camera", "camera is no file; for a camera, write fasttransfer live"),
        ("photo.jpg --style a --painting b", "give a trained --style or a --painting, not both"),
        ("photo.jpg nosuch.setting=3", "there is no setting nosuch.setting and no file 'nosuch"),
        (
            "photo.jpg --painting none.jpg slow.iterations=2 slow.lr=1",
            "There is no style image 'none.jpg'",
        ),
        ("--list", "there is no option --list; write fasttransfer styles"),
        ("live none.mp4", "there is no video 'none.mp4'; give the number of a camera, a video"),
        ("live 1 2", "give one camera or video, not 2: 1, 2"),
        ("compare", "give at least one style, such as"),
        ("export", "give at least one style, such as"),
        ("train", "give a painting: a picture file, or one of the bundled style images (embro"),
        ("train oil mosaic", "give one painting, not 2: oil, mosaic"),
        ("train none.jpg", "There is no style image 'none.jpg'"),
        ("train oil --network reltime", "--network=reltime must be default, johnson or realtime;"),
        ("train oil network=reltime", "there is no network=reltime; did you mean realtime?"),
        ("search word", "word is not of the form key=value"),
        ("shards a b", "give one folder of photos, not 2: a, b"),
    ],
)
def test_mistakes_are_one_sentence(
    photo: Path, capsys: pytest.CaptureFixture[str], command: str, sentence: str
) -> None:
    assert run(*command.split()) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(sentence)
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert os.listdir() == ["photo.jpg"]


@pytest.mark.parametrize("verb", [[], *([name] for name in cli.commands)])
def test_help(verb: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*verb, "--help") == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"Usage: {' '.join(['fasttransfer', *verb])}")
    assert max(map(len, printed.splitlines())) <= 100
    if verb not in (["styles"], ["doctor"]):
        assert "Examples:" in printed


def test_help_and_completion_load_nothing_heavy(tmp_path: Path) -> None:
    for arguments in ("--help", "stylize --help", "train --help", "--completion bash", "--version"):
        code = (
            "import sys\nfrom fasttransfer.cli.main import main\n"
            f"try: main({arguments.split()!r})\n"
            "except SystemExit as end: assert not end.code\n"
            "heavy = {'torch', 'numpy', 'hydra', 'omegaconf', 'pytorch_lightning', 'rich', 'PIL'}\n"
            "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_completion(tmp_path: Path) -> None:
    words = "COMP_WORDS='fasttransfer stylize --style mosaic,ud' COMP_CWORD=3"
    done = typed(f"export {words} _FASTTRANSFER_COMPLETE=bash_complete; fasttransfer", tmp_path)
    assert done.stdout.split() == ["plain,mosaic,udnie", "plain,mosaic,udnie_realtime"]
    words = "COMP_WORDS='fasttransfer st' COMP_CWORD=1"
    done = typed(f"export {words} _FASTTRANSFER_COMPLETE=bash_complete; fasttransfer", tmp_path)
    assert done.stdout.split() == ["plain,stylize", "plain,styles"]


@pytest.mark.slow
def test_styles_to_export_are_words_or_an_option(photo: Path) -> None:
    assert run("export", "mosaic_realtime", "--style", "udnie_realtime", "--to", "onnx") == 0
    assert sorted(Path().glob("*.onnx")) == [
        Path("mosaic_realtime.onnx"),
        Path("udnie_realtime.onnx"),
    ]


@pytest.mark.skipif(not HAS_RUNTIME, reason="the extra web is not installed")
@pytest.mark.slow
def test_a_page_of_two_styles(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--to", "web", "--style", "mosaic_realtime,udnie_realtime", "-o", "my site")
    assert run("export", *words, "engine=torch") == 0
    assert "python -m http.server -d 'my site'" in capsys.readouterr().err
    site = json.loads(Path("my site/site.json").read_text())
    assert [style["name"] for style in site["styles"]] == ["mosaic_realtime", "udnie_realtime"]
    assert run("export", *words, "--precision", "int8", "--overwrite") == 2
    assert "precision=int8 is for files of single styles" in capsys.readouterr().err


@pytest.mark.slow
def test_as_it_is_typed_in_a_shell(photo: Path) -> None:
    here = Path.cwd()
    photo.rename("a=b, [1].jpg")
    version = typed("fasttransfer --version", here)
    assert version.stdout.startswith("fasttransfer ")
    styles = typed("fasttransfer styles | head -n 2", here)
    assert "composition_vii" in styles.stdout
    assert styles.stderr == ""
    command = "fasttransfer 'a=b, [1].jpg' --style starry_night --size 64 --engine torch -o"
    done = typed(f"{command} out.jpg", here)
    assert done.returncode == 0, done.stderr
    assert Image.open("out.jpg").size[0] == 64
    closed = typed(f"{command} o.png 2>&- >&- <&-", here)
    assert (closed.returncode, closed.stdout, closed.stderr) == (0, "", "")
    assert Image.open("o.png").format == "PNG"
    piped = typed("fasttransfer nothing.jpg 2>&1 | head -c 5; exit ${PIPESTATUS[0]}", here)
    assert (piped.returncode, piped.stdout, piped.stderr) == (2, "input", "")


@pytest.mark.slow
def test_train_resume_and_stylize(tiny_run: list[str], photo: Path) -> None:
    words = [word for word in tiny_run if not word.startswith(("trainer.max_steps", "budget"))]
    options = f"--steps 3 -o 'my run' {' '.join(map(shlex.quote, words))}"
    done = typed(f"fasttransfer train {options}", Path.cwd())
    assert done.returncode == 0, done.stderr
    next_command = done.stdout.splitlines()[-1]
    assert next_command.startswith("fasttransfer stylize photo.jpg --style ")
    assert typed(f"{next_command} --device cpu", Path.cwd()).returncode == 0
    assert Path("stylized.jpg").exists()
    again = typed("fasttransfer train --resume 'my run'", Path.cwd())
    assert again.returncode == 2
    assert "The run 'my run' is complete after 3 steps" in again.stderr


@pytest.mark.slow
def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doctor", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["engines"]["torch"] == "works"
    assert report["versions"]["python"].startswith(f"{sys.version_info.major}.")
    assert set(report["extras"]) >= {"fast", "video", "live"}
    assert run("doctor") == 0
    assert "\nengines\n  torch" in capsys.readouterr().out
