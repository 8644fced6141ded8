"""Text is UTF-8 wherever it is read or written, whatever the system's own encoding is."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fasttransfer

PACKAGE = Path(fasttransfer.__file__).parent
TOP = PACKAGE.parent
FILES = sorted([*PACKAGE.rglob("*.py"), *(TOP / "benchmarks").rglob("*.py"), *TOP.glob("*.py")])
# Positions of the mode and of the encoding; ``path.open`` has no place for a file before them.
OPENING = {"open": (1, 3), "fdopen": (1, 3), "path.open": (0, 2)}
TEXTS = {"read_text": 0, "write_text": 1}
STARTING = ("run", "Popen", "check_output")
# What is called ``open`` and is no file of ours: containers, pictures, pages, codecs, runs.
NO_FILES = ("os", "av", "tarfile", "Image", "Run", "context", "zarr", "webbrowser", "require")


def without_encoding(tree: ast.AST) -> Iterator[int]:
    """Lines on which text is read or written in an encoding that is not said to be UTF-8."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and is_text(node) and not is_utf8(encoding(node)):
            yield node.lineno


def is_text(call: ast.Call) -> bool:
    name, owner = called(call)
    if name in TEXTS:
        return True
    if name in OPENING:
        if owner in NO_FILES:
            return name == "fdopen" and "b" not in mode(call)
        return "b" not in mode(call)
    if name in STARTING or name.endswith("TemporaryFile"):
        text = [word for word in call.keywords if word.arg in ("text", "universal_newlines")]
        return bool(text) or (name.endswith("TemporaryFile") and "b" not in mode(call))
    return name in ("TextIOWrapper", "FileHandler")


def called(call: ast.Call) -> tuple[str, str]:
    """The name of what is called, and the name before it."""
    if isinstance(call.func, ast.Attribute):
        owner = call.func.value
        while isinstance(owner, ast.Call | ast.Attribute):
            owner = owner.func if isinstance(owner, ast.Call) else owner.value
        return call.func.attr, owner.id if isinstance(owner, ast.Name) else ""
    return (call.func.id, "") if isinstance(call.func, ast.Name) else ("", "")


def mode(call: ast.Call) -> str:
    """How a file is opened; as bytes, where that is a variable."""
    name, owner = called(call)
    if name.endswith("TemporaryFile"):
        place, default = 0, "w+b"
    else:
        place, default = OPENING["path.open" if name == "open" and owner else name][0], "r"
    found: ast.expr | None = next(
        (word.value for word in call.keywords if word.arg == "mode"), None
    )
    if found is None and len(call.args) > place:
        found = call.args[place]
    if found is None:
        return default
    return str(found.value) if isinstance(found, ast.Constant) else "b"


def encoding(call: ast.Call) -> ast.expr | None:
    name, owner = called(call)
    place = TEXTS.get(name)
    if name in OPENING:
        place = OPENING["path.open" if name == "open" and owner else name][1]
    for word in call.keywords:
        if word.arg == "encoding":
            return word.value
    return call.args[place] if place is not None and len(call.args) > place else None


def is_utf8(found: ast.expr | None) -> bool:
    """Also whatever a program computes; the streams of the terminal keep their own."""
    if isinstance(found, ast.Constant):
        return found.value in ("utf-8", "utf-8-sig")
    return found is not None


def test_text_files_have_a_stated_encoding() -> None:
    found = [
        f"{file.relative_to(TOP)}:{line}"
        for file in FILES
        for line in without_encoding(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "open(name)",
        "open(name, 'w')",
        "open(name, encoding='latin-1')",
        "path.open()",
        "path.open('a')",
        "Path(name).open()",
        "os.fdopen(number, 'w')",
        "path.read_text()",
        "Path('a').read_text(errors='replace')",
        "path.write_text(text)",
        "(folder / 'a').write_text('b')",
        "subprocess.run(words, text=True)",
        "io.TextIOWrapper(raw)",
        "tempfile.NamedTemporaryFile('w')",
    ],
)
def test_text_without_an_encoding_is_found(code: str) -> None:
    assert list(without_encoding(ast.parse(code))) == [1]


@pytest.mark.parametrize(
    "code",
    [
        "open(name, 'rb')",
        "open(name, encoding='utf-8')",
        "open(name, 'r', -1, 'utf-8')",
        "path.open('rb')",
        "path.open(encoding='utf-8')",
        "path.read_text('utf-8')",
        "path.write_text(text, encoding='utf-8')",
        "os.open(name, flags)",
        "av.open(name)",
        "tempfile.NamedTemporaryFile()",
    ],
)
def test_bytes_and_utf8_are_not(code: str) -> None:
    assert list(without_encoding(ast.parse(code))) == []


def test_settings_are_read_as_utf8_by_the_libraries_too() -> None:
    """The YAML of conf/ is read by Hydra and OmegaConf; a default encoding would be an error here."""
    code = (
        "from fasttransfer.cli.program import Program\n"
        "from fasttransfer.core.assets import CONF_DIR\n"
        "assert Program('train').compose(['style=woodcut']).style.path == 'woodcut'\n"
        "assert Program('infer', CONF_DIR / 'infer').compose().quality == 92\n"
    )
    strict = ["-X", "warn_default_encoding", "-W", "error::EncodingWarning"]
    subprocess.run([sys.executable, *strict, "-c", code], check=True, cwd=TOP)
