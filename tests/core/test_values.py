import math
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.values import as_list, number, whole_number


def test_one_thing_is_a_list_of_one() -> None:
    assert as_list(None) == []
    assert as_list("a") == ["a"]
    assert as_list(OmegaConf.create(["a", 2])) == ["a", "2"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b", ["a", "b"]),
        ("[a, b]", ["a", "b"]),
        ("[a]", ["a"]),
        ("'a,b'", ["a,b"]),
        ("'a,b',c", ["a,b", "c"]),
        (r"['it\'s, [1].jpg','b']", ["it's, [1].jpg", "b"]),
        ("'C:\\a,b\\',c", ["C:\\a,b\\", "c"]),
        ("mosaic:0.6,udnie:0.4", ["mosaic:0.6,udnie:0.4"]),
        ("https://a.org/b,c.jpg", ["https://a.org/b,c.jpg"]),
        ("", [""]),
        ("[]", []),
    ],
)
def test_text_with_commas_is_several_names(text: str, names: list[str]) -> None:
    assert as_list(text) == names
    assert as_list(names) == names  # once they are a list, nothing in a name separates


@pytest.mark.parametrize("name", ["a,b", "[a,b]", "[1], a=b.safetensors", "'a'"])
def test_a_file_is_one_name_whatever_it_is_called(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).touch()
    assert as_list(name) == [name]
    assert as_list(str(tmp_path / name)) == [str(tmp_path / name)]


def test_a_pattern_that_finds_files_is_one_name(tmp_path: Path) -> None:
    (tmp_path / "a, b.jpg").touch()
    assert as_list(f"{tmp_path}/a, ?.jpg") == [f"{tmp_path}/a, ?.jpg"]


def test_whole_numbers_within_their_limits_pass() -> None:
    assert whole_number("data.batch_size", 1, least=1) == 1
    assert whole_number("seed", 9, least=0, most=9) == 9


@pytest.mark.parametrize("value", [0, 1.0, "2", None, True, math.nan])
def test_anything_else_is_refused_with_its_name(value: object) -> None:
    with pytest.raises(FastTransferError, match=rf"^x={value} must be a whole number from 1 on\.$"):
        whole_number("x", value, least=1)


def test_the_largest_is_named() -> None:
    with pytest.raises(FastTransferError, match=r"^seed=10 must be a whole number from 0 to 9\.$"):
        whole_number("seed", 10, least=0, most=9)


def test_numbers_within_their_limits_pass() -> None:
    assert number("x", 0, least=0) == 0
    assert number("x", 0.999, least=0, below=1) == 0.999


@pytest.mark.parametrize("value", [-1, 1, "0.5", None, False, math.nan, math.inf])
def test_other_numbers_are_refused(value: object) -> None:
    with pytest.raises(
        FastTransferError, match=rf"^x={value} must be a number from 0 to below 1\.$"
    ):
        number("x", value, least=0, below=1)
