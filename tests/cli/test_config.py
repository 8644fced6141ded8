"""A program run by what was typed after a script's name; mistakes in one sentence."""

import sys
from pathlib import Path

import pytest
from omegaconf import DictConfig

from fasttransfer.cli.config import command
from fasttransfer.cli.program import Program, Typed
from fasttransfer.core.assets import CONF_DIR
from fasttransfer.core.errors import FastTransferError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration of one's own and a place to run in."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "main.yaml").write_text(
        "defaults: [_self_, paint: oil, {override hydra/job_logging: disabled}]\n"
        "path: null\nsize: 1\nfast: false\nsizes: [512]\nnested: {depth: 2}\n"
        "hydra: {run: {dir: .}, output_subdir: null}\n"
    )
    (tmp_path / "conf" / "paint").mkdir()
    (tmp_path / "conf" / "paint" / "oil.yaml").write_text("thick: true\n")
    (tmp_path / "conf" / "paint" / "ink.yaml").write_text("black: 0.5\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "conf"


def run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str, typed: Typed | None = None
) -> DictConfig:
    seen = []

    @command(Program("main", folder, texts=("path",), argument="path"))
    def main(config: DictConfig) -> None:
        assert sys.argv == ["main.py", *words]  # by which further processes are started
        seen.append(config)
        if config.size == 99:
            raise FastTransferError("size=99 is too\nlarge; take less")
        if config.size == 98:
            raise KeyError("a fault of ours")

    monkeypatch.setattr(sys, "argv", ["main.py", *words])
    main(typed)
    [config] = seen
    return config


def test_command_composes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("path=a=b (1).jpg", "nested.depth=3", "sizes=[]", "paint=ink", "+more=yes")
    config = run(folder, monkeypatch, *words)
    assert config.paint.black == 0.5
    assert config.path == "a=b (1).jpg"
    assert config.nested.depth == 3
    assert sorted(path.name for path in folder.parent.iterdir()) == ["conf"]


def test_values_as_they_are(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = Typed(("paint=ink",), {"path": "${size},'{", "nested.depth": 3, "sizes": [1, 2]})
    config = run(folder, monkeypatch, typed=typed)
    assert (config.path, config.nested.depth, config.sizes) == ("${size},'{", 3, [1, 2])
    assert config.paint.black == 0.5


def test_a_single_value_for_a_list(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(folder, monkeypatch, "sizes=256").sizes == [256]
    assert run(folder, monkeypatch, "sizes=256,128").sizes == [256, 128]


def test_values_are_checked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        run(folder, monkeypatch, typed=Typed(values={"size": "large"}))
    assert end.value.code == 2
    assert capsys.readouterr().err == "size=large must be a number.\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("size=99", r"size=99 is too\nlarge; take less"),
        ("sise=3", "there is no setting sise; did you mean size? --help lists them"),
        ("nested.dept=3", "there is no setting nested.dept; did you mean nested.depth? "),
        ("zzz=3", "there is no setting zzz; --help lists them"),
        ("photo.jpg", "photo.jpg has no setting before it; write path=photo.jpg"),
        ("word", "word is not of the form setting=value; --help lists the settings"),
        ("size=(", "size=( is not of the form setting=value"),
        ("fast=no", "fast=no must be true or false."),
        ("size=large", "size=large must be a number."),
        ("size=true", "size=true must be a number."),
        ("size=0,5", "size=0,5 must be a number; write 0.5."),
        ("sizes=null", "sizes=null must be a list."),
        ("sizes=a", "sizes=a must be a list of numbers."),
        ("sizes=[a]", "sizes=a must be a list of numbers."),
        ("sizes=a,b", "sizes=a,b must be a list of numbers."),
        ("paint=inc", "there is no paint=inc; did you mean ink? choose from ink, oil"),
        ("paint=ink paint.blak=1", "there is no setting paint.blak; did you mean paint.black? "),
        ("paint=ink paint.black=no", "paint.black=no must be a number."),
        ("--size 3", "write size=3 instead of --size: settings of this script have no dashes"),
        ("--size=3", "write size=3 instead of --size=3: settings"),
        ("--depth 3", "write nested.depth=3 instead of --depth: "),
        ("--sise 3", "there is no option --sise; did you mean size?"),
        ("--zzz", "there is no option --zzz; settings are written setting=value"),
    ],
)
def test_mistakes_are_one_sentence(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: str,
    sentence: str,
) -> None:
    with pytest.raises(SystemExit) as end:
        run(folder, monkeypatch, *words.split())
    assert end.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith(sentence)
    assert printed.count("\n") == 1


def test_faults_of_ours_keep_their_traceback(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyError, match="a fault of ours"):
        run(folder, monkeypatch, "size=98")


def test_a_place_that_cannot_be_used_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @command(Program("shards", CONF_DIR / "shards", texts=("output",)))
    def task(config: DictConfig) -> None:
        Path(config.output).mkdir()

    monkeypatch.setattr(sys, "argv", ["shards.py", "output=/proc/new"])
    with pytest.raises(SystemExit) as ended:
        task()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "'/proc/new' cannot be used: No such file or directory\n"
