"""Tests that start a browser or the live command are marked slow, so that the fast ones stay fast."""

import ast
from pathlib import Path

import pytest

FILES = sorted(Path(__file__).parent.rglob("test_*.py"))
STARTING = {"tests.helpers.chromium": "open_page", "tests.helpers.live": "command"}


def unmarked(code: str) -> list[str]:
    """The functions of a module that name what starts a process, and carry no ``slow``."""
    tree = ast.parse(code)
    starting = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == STARTING.get(str(node.module))
    }
    marks = [node for node in tree.body if isinstance(node, ast.Assign)]
    if any(ast.unparse(one.targets[0]) == "pytestmark" and is_slow(one.value) for one in marks):
        return []
    return [
        function.name
        for function in tree.body
        if isinstance(function, ast.FunctionDef)
        and starting & {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        and not any(map(is_slow, function.decorator_list))
    ]


def is_slow(node: ast.expr) -> bool:
    return any(
        ast.unparse(inner) == "pytest.mark.slow"
        for inner in ast.walk(node)
        if isinstance(inner, ast.Attribute)
    )


def test_what_starts_a_browser_or_the_live_command_is_slow() -> None:
    codes = {str(path): path.read_text(encoding="utf-8") for path in FILES}
    found = {name: unmarked(code) for name, code in codes.items() if "tests.helpers" in code}
    assert {name: functions for name, functions in found.items() if functions} == {}


@pytest.mark.parametrize(
    ("mark", "of_module", "expected"),
    [
        ("", "", ["test_it"]),
        ("@pytest.mark.slow\n", "", []),
        ("@pytest.mark.skipif(True)\n", "pytestmark = pytest.mark.skipif(False)\n", ["test_it"]),
        ("", "pytestmark = [pytest.mark.slow, pytest.mark.skipif(False)]\n", []),
    ],
)
def test_a_missing_mark_is_found(mark: str, of_module: str, expected: list[str]) -> None:
    code = f"from tests.helpers.chromium import open_page\n{of_module}\n"
    code += f"{mark}def test_it():\n    with open_page('') as page:\n        page.run('1')\n"
    assert unmarked(code) == expected
