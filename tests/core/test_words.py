"""Words that were probably meant."""

import pytest

from fasttransfer.core.words import did_you_mean


@pytest.mark.parametrize(
    ("word", "words", "hint"),
    [
        ("mosiac", ["mosaic", "udnie"], "did you mean mosaic?"),
        ("Mosaic", ["mosaic"], "did you mean mosaic?"),
        ("--stile", ["--style", "--tiles"], "did you mean --tiles or --style?"),
        ("xyzzy", ["mosaic"], ""),
        ("x", [], ""),
    ],
)
def test_did_you_mean(word: str, words: list[str], hint: str) -> None:
    assert did_you_mean(word, words) == hint
