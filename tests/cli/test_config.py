"""What people type, as Hydra gets it; and mistakes in one sentence."""

import sys
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

from fasttransfer.cli.config import command, quote_paths
from fasttransfer.core.assets import CONF_DIR
from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.values import as_list


def through_hydra(argument: str) -> object:
    """The value that a task finds after typing ``argument``."""
    (quoted,) = quote_paths([argument], ("input",))
    override = OverridesParser.create().parse_override(quoted)
    return OmegaConf.to_container(OmegaConf.create({"v": override.value()}), resolve=True)["v"]  # type: ignore[index,call-overload]


def test_conf_is_found() -> None:
    assert (CONF_DIR / "infer" / "infer.yaml").is_file()


@pytest.mark.parametrize(
    "name",
    [
        *("photo.jpg", "my photo (1).jpg", "a=b.jpg", "ünïcode.jpg", "it's.jpg", "a,b.jpg"),
        *('say "x".jpg', "007", "1e3", "true", "photo[1].jpg", "{a: b}.jpg", "${x}.jpg", "$HOME"),
        *(
            r"C:\photos\a.jpg",
            "C:\\photos\\",
            "a:b",
            "*/**/x?.jpg",
            " leading.jpg",
            "~/a.jpg",
            "é 日",
        ),
    ],
)
def test_names_arrive_as_typed(name: str) -> None:
    assert through_hydra(f"input={name}") == name


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=12))
def test_any_name_arrives_as_typed(name: str) -> None:
    quoted = name[0] == name[-1] and name[0] in "'\""
    # Backslashes before ${ are the one thing that OmegaConf has for itself.
    assume(not quoted and name[0] != "[" and name != "null" and "\\${" not in name)
    assert through_hydra(f"input={name}") == name


def test_lists() -> None:
    assert through_hydra("input=[a b.jpg,c(1).jpg]") == ["a b.jpg", "c(1).jpg"]
    assert through_hydra("input=[ a.jpg , it's.jpg ]") == ["a.jpg", "it's.jpg"]
    assert through_hydra("""input=['x,y.jpg',"z.jpg",w.jpg]""") == ["x,y.jpg", "z.jpg", "w.jpg"]


def test_what_hydra_already_understands_stays() -> None:
    arguments = ["input=null", "input='a b'", "size=3", "--help", "+input=", "other=a b"]
    assert quote_paths(arguments, ("input",)) == arguments
    once = quote_paths(["input=it's a,b.jpg"], ("input",))
    assert quote_paths(once, ("input",)) == once
    assert quote_paths(["-m", "input=a,b"], ("input",)) == ["-m", "input=a,b"]


def test_as_list() -> None:
    assert as_list(None) == []
    assert as_list("a") == ["a"]
    assert as_list(OmegaConf.create(["a", "b"])) == ["a", "b"]


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


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, *typed: str) -> list[DictConfig]:
    seen = []

    @command("main", paths=("path",), folder=folder)
    def main(config: DictConfig) -> None:
        seen.append(config)
        if config.size == 99:
            raise FastTransferError("size=99 is too large; take less")
        if config.size == 98:
            raise KeyError("a fault of ours")

    monkeypatch.setattr(sys, "argv", ["main.py", *typed])
    main()
    return seen


def test_command_composes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = ("path=a=b (1).jpg", "nested.depth=3", "sizes=[]", "paint=ink", "+more=yes")
    (config,) = run(folder, monkeypatch, *typed)
    assert config.paint.black == 0.5
    assert config.path == "a=b (1).jpg"
    assert config.nested.depth == 3
    assert sorted(path.name for path in folder.parent.iterdir()) == ["conf"]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("size=99", "size=99 is too large; take less"),
        ("sise=3", "there is no setting sise; did you mean size? --help lists them"),
        ("nested.dept=3", "there is no setting nested.dept; did you mean nested.depth? "),
        ("zzz=3", "there is no setting zzz; --help lists them"),
        ("photo.jpg", "photo.jpg is not of the form setting=value; --help lists the settings"),
        ("size=(", "size=( is not of the form setting=value"),
        ("fast=no", "fast=no must be true or false."),
        ("size=large", "size=large must be a number."),
        ("size=true", "size=True must be a number."),
        ("sizes=256", "sizes=256 must be a list, such as [512]."),
        ("sizes=[a]", "sizes=['a'] must be a list of numbers."),
        ("paint=inc", "there is no paint=inc; did you mean ink? choose from ink, oil"),
        ("paint=ink paint.blak=1", "there is no setting paint.blak; did you mean paint.black? "),
        ("paint=ink paint.black=no", "paint.black=no must be a number."),
    ],
)
def test_mistakes_are_one_sentence(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    sentence: str,
) -> None:
    with pytest.raises(SystemExit) as end:
        run(folder, monkeypatch, *typed.split())
    assert end.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith(sentence)
    assert told.count("\n") == 1


def test_faults_of_ours_keep_their_traceback(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyError, match="a fault of ours"):
        run(folder, monkeypatch, "size=98")
