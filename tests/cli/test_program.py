"""What people type for settings, and what arrives."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from fasttransfer.cli.hydra_messages import explain
from fasttransfer.cli.infer import PROGRAM
from fasttransfer.cli.options import Line
from fasttransfer.cli.program import Typed, literal, put, rename_old
from fasttransfer.cli.request import sort_words
from fasttransfer.cli.script import read_script_arguments
from fasttransfer.cli.train import PROGRAM as TRAIN
from fasttransfer.core.assets import CONF_DIR
from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.values import as_list, unquoted


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def arrives(word: str) -> object:
    """The value that a task finds after ``word``."""
    config = OmegaConf.create({"input": None, "output": None})
    put(config, PROGRAM.parse([word]))
    return OmegaConf.to_container(config, resolve=True)[word.partition("=")[0]]  # type: ignore[index,call-overload]


def test_conf_is_found() -> None:
    assert (CONF_DIR / "infer" / "infer.yaml").is_file()


@pytest.mark.parametrize("setting", ["input", "output"])
@pytest.mark.parametrize(
    "name",
    [
        *("photo.jpg", "my photo (1).jpg", "a=b.jpg", "ünïcode.jpg", "it's.jpg", "photo[1].jpg"),
        *('say "x".jpg', "007", "1e3", "true", "{a: b}.jpg", "${x}.jpg", "$HOME", "-x.jpg"),
        *(r"C:\photos\a.jpg", "C:\\photos\\", "a:b", "*/**/x?.jpg", " leading.jpg", "~/a.jpg"),
        *("é 日", "caf\udce9.jpg", r"\${x}", r"a\\\${x}.jpg", "${", "https://a.org/b,c.jpg"),
    ],
)
def test_names_arrive_as_typed(setting: str, name: str) -> None:
    assert arrives(f"{setting}={name}") == name


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=12))
def test_any_name_arrives_as_typed(name: str) -> None:
    assume(name != "null" and not (len(name) > 1 and name[0] == name[-1] and name[0] in "'\""))
    assert arrives(f"output={name}") == name


@pytest.mark.parametrize("name", ["a,b.jpg", "[2024]", "[1],{2}.png", "'quoted'", "null.jpg"])
def test_a_file_that_is_there_is_that_file(name: str) -> None:
    Path(name).touch()
    assert arrives(f"input={name}") == name


def test_a_pattern_that_finds_files_is_that_pattern() -> None:
    Path("photos, [2024]").mkdir()
    Path("photos, [2024]/a.jpg").touch()
    assert arrives("input=photos, [[]2024]/*.jpg") == "photos, [[]2024]/*.jpg"


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("a.jpg,b.jpg", ["a.jpg", "b.jpg"]),
        ("[a b.jpg,c(1).jpg]", ["a b.jpg", "c(1).jpg"]),
        ("[ a.jpg , it's.jpg ]", ["a.jpg", "it's.jpg"]),
        ("""['x,y.jpg',"z.jpg",w.jpg]""", ["x,y.jpg", "z.jpg", "w.jpg"]),
        ("s3://b/a.jpg,s3://b/c.jpg", ["s3://b/a.jpg", "s3://b/c.jpg"]),
        ("[one.jpg]", ["one.jpg"]),
    ],
)
def test_lists(typed: str, names: list[str]) -> None:
    assert arrives(f"input={typed}") == names


def test_into_the_real_configuration() -> None:
    config = PROGRAM.configured(PROGRAM.parse(["input=a=b, {1}.jpg", "size=3"]))
    assert (config.input, config.size) == (["a=b", "{1}.jpg"], 3)


def test_null_and_quotes() -> None:
    assert arrives("input=null") is None
    assert arrives("input=") == ""
    assert arrives("input='a, b'") == ["a, b"]
    assert arrives("output='a, b'") == "a, b"


def test_a_blend_is_one_style() -> None:
    blend = "mosaic:0.6,udnie:0.4"
    assert PROGRAM.parse([f"style={blend}"]).values == {"style": blend}


def test_lists_of_other_settings() -> None:
    typed = PROGRAM.parse(["comparison.sizes=256,512", "size=3"])
    config = PROGRAM.configured(typed)
    assert config.comparison.sizes == [256, 512]
    assert config.size == 3


def test_text_that_is_not_in_the_grammar_of_hydra() -> None:
    typed = TRAIN.parse(["style.name=Van Gogh (1889)", "style.license=it's mine", "seed=3"])
    config = TRAIN.configured(typed)
    assert config.style.name == "Van Gogh (1889)"
    assert config.style.license == "it's mine"
    assert config.seed == 3


def test_old_names_of_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert PROGRAM.parse(["colour=content"]).overrides == ("color=content",)
    assert capsys.readouterr().err == "colour= is now color=; the old name will go\n"
    assert TRAIN.parse(["style.licence=CC0"]).values == {"style.license": "CC0"}
    assert capsys.readouterr().err == (
        "style.licence= is now style.license=; the old name will go\n"
    )


@pytest.mark.parametrize(
    ("word", "current"),
    [
        ("style.licence=CC0", "style.license=CC0"),
        ("optimiser=adam", "optimizer=adam"),
        ("optimiser.lr=0.1", "optimizer.lr=0.1"),
        ("optimizer.lr=0.1", "optimizer.lr=0.1"),
    ],
)
def test_old_spellings(word: str, current: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert TRAIN.current(word) == current
    said = f"{word.partition('=')[0]}= is now {current.partition('=')[0]}=; the old name will go\n"
    assert capsys.readouterr().err == ("" if word == current else said)


def test_old_names_in_files_of_the_user(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own" / "style").mkdir(parents=True)
    file = tmp_path / "own" / "style" / "mine.yaml"
    file.write_text("path: woodcut\nname: Ärmel\nlicence: CC BY 4.0\n", encoding="utf-8")
    argv = ["train.py", "--config-dir", "own", "style=mine"]
    typed = read_script_arguments(TRAIN, argv)
    assert typed.overrides == ("--config-dir", "own", "style=mine")
    own = replace(TRAIN, own=(tmp_path / "own",))
    config = own.configured(own.parse(["style=mine", "style.name=Zoë"]))
    assert config.style == {"path": "woodcut", "name": "Zoë", "license": "CC BY 4.0"}
    assert capsys.readouterr().err == "licence: is now license:; the old name will go\n"
    with pytest.raises(FastTransferError, match="there is no style=nine; did you mean mine"):
        own.parse(["style=nine"])


def test_what_is_typed_counts_more_than_an_old_name() -> None:
    config = OmegaConf.create({"style": {"license": "CC0", "licence": "old"}, "colour": "content"})
    OmegaConf.set_struct(config, True)
    rename_old(config)
    assert config == {"style": {"license": "CC0"}, "color": "content"}


def test_old_names_in_a_sweep() -> None:
    typed = read_script_arguments(TRAIN, ["train.py", "-m", "style.licence=CC0,MIT", "seed=1,2"])
    assert typed == Typed(("-m", "style.license=CC0,MIT", "seed=1,2"))


def test_old_names_of_choices(capsys: pytest.CaptureFixture[str]) -> None:
    assert TRAIN.parse(["style=watercolour"]).overrides == ("style=watercolor",)
    assert capsys.readouterr().err == (
        "style=watercolour is now style=watercolor; the old name will go\n"
    )


@pytest.mark.parametrize("text", ["oil,points", "[oil,points]"])
def test_a_run_may_start_from_one_of_several_styles(text: str) -> None:
    assert TRAIN.configured(TRAIN.parse([f"start={text}"])).start == ["oil", "points"]


def test_a_run_may_start_from_a_file_with_any_name() -> None:
    Path("[a], b.safetensors").touch()
    config = TRAIN.configured(TRAIN.parse(["start=[a], b.safetensors"]))
    assert as_list(config.start) == ["[a], b.safetensors"]


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("style=mosiac", "there is no style=mosiac; did you mean mosaic? choose from "),
        ("style=painting.jpg", "style=painting.jpg is a file; write style.path=painting.jpg"),
        ("painting.jpg", "painting.jpg has no setting before it; write style.path=painting.jpg"),
        ("painting", "painting is not of the form setting=value"),
    ],
)
def test_mistakes(word: str, sentence: str) -> None:
    Path("painting.jpg").touch()
    with pytest.raises(FastTransferError) as error:
        TRAIN.parse([word])
    assert str(error.value).startswith(sentence)


def test_settings_of_groups_that_are_chosen() -> None:
    assert "slow.iterations" not in PROGRAM.settings()
    assert "slow.iterations" in PROGRAM.settings(["stylizer=optimize"])


@pytest.mark.parametrize("value", ["abc", "'Van Gogh (1889)'", "Van Gogh (1889)"])
def test_a_setting_of_training_is_named_as_such(value: str) -> None:
    words = ["photo.jpg", f"style.name={value}"]
    Path("photo.jpg").touch()
    with pytest.raises(FastTransferError) as raised:
        sort_words(PROGRAM, Line(tuple(words), (), {}, {}))
    assert "style.name= is a setting of training: fasttransfer train" in str(raised.value)
    with pytest.raises((FastTransferError, HydraException)) as other:
        PROGRAM.configured(PROGRAM.parse(words[1:]))
    sentence = explain(other.value, PROGRAM.folder, PROGRAM.settings) or str(other.value)
    assert sentence.startswith("there is no setting style.name here; style.name= is a setting of")


def test_a_text_for_a_setting_that_there_is_not() -> None:
    with pytest.raises(FastTransferError, match="no setting strenght; did you mean strength"):
        PROGRAM.parse(["strenght=very (much)"])


def test_names_are_bytes_to_the_system() -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    assert os.fsencode(str(arrives(f"input={name}"))) == b"caf\xe9.jpg"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
@settings(deadline=None)
def test_quotes_and_what_they_require_are_taken_off(name: str) -> None:
    """As Hydra itself takes them off."""
    typed = QuotedString(str(literal(name)), Quote.single).with_quotes()
    assert unquoted(typed) == name
    assert as_list(f"[{typed},'b']") == [name, "b"]
    if not re.search(r"[\r\n]", name):
        [override] = OverridesParser.create().parse_overrides([f"x={typed}"])
        assert OmegaConf.create({"x": override.value()}).x == name
