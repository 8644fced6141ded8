"""Names, texts and networks that a file claims."""

import pytest

from fasttransfer.models.metadata import (
    MOST_NAME,
    check_config,
    clean_metadata,
    clean_name,
)

CONFIG = {
    "channels": [4, 6],
    "residual_blocks": 1,
    "kernel_size": 3,
    "unshuffle": 2,
    "smooth": True,
}


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("künstler 北斎", "künstler 北斎"),
        ("a\nb\x1b[31mc", "a�b�[31mc"),
        ("half \ud83c", "half �"),
        ("\u202egnp.exe", "�gnp.exe"),
        ("x" * 300, "x" * (MOST_NAME - 1) + "…"),
        ("  ", "file"),
        (None, "file"),
        (["a"], "file"),
    ],
)
def test_a_name_is_one_short_line(name: object, clean: str) -> None:
    assert clean_name(name, "file") == clean
    assert clean_name(name, "file").encode()


def test_texts_are_cleaned_at_any_depth_and_the_old_key_is_read() -> None:
    given = {
        "licence": "CC0",
        "training": {"style": {"path": "a\x00b", "size": 512}, "x": [1, "\ud800"]},
    }
    assert clean_metadata(given) == {
        "license": "CC0",
        "training": {"style": {"path": "a�b", "size": 512}, "x": [1, "�"]},
    }
    assert clean_metadata({"licence": "old", "license": "new"}) == {"license": "new"}


def test_what_is_no_plain_value_is_refused() -> None:
    nested: object = 1
    for _ in range(20):
        nested = [nested]
    for given, text in (([], "list"), ({"a": nested}, "deep"), ({"a": {1, 2}}, "set")):
        with pytest.raises(ValueError, match=text):
            clean_metadata(given)


def test_a_network_that_fits_is_passed_on() -> None:
    assert check_config(CONFIG, tensors=20) == CONFIG


@pytest.mark.parametrize(
    "config",
    [
        [],
        {**CONFIG, "more": 1},
        {**CONFIG, "residual_blocks": 10**9},
        {**CONFIG, "residual_blocks": True},
        {**CONFIG, "channels": [10**5]},
        {**CONFIG, "channels": [4] * 21},
        {**CONFIG, "channels": 4},
        {**CONFIG, "kernel_size": 10**4 + 1},
        {**CONFIG, "unshuffle": 0},
        {**CONFIG, "unshuffle": 10**5000},
        {**CONFIG, "smooth": "yes"},
    ],
    ids=range(11),
)
def test_a_network_that_no_file_can_have_is_refused(config: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (eleven sentences)
        check_config(config, tensors=20)
