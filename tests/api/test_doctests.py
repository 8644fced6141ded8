"""The examples in the docstrings of the Python API, and those of its page."""

import doctest
from pathlib import Path

import pytest

from fasttransfer.api import cards, style

PAGE = Path(__file__).parents[2] / "docs" / "python.md"


@pytest.mark.parametrize("module", [style, cards])
def test_docstrings(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_there_are_examples() -> None:
    assert sum(len(one.examples) for one in doctest.DocTestFinder().find(style)) >= 15


@pytest.mark.slow
def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted >= 15
    assert found.failed == 0
