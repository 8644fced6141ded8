"""The files of onnxruntime-web: whose they are, and what is said when they are missing."""

import ast
from pathlib import Path

import pytest

from fasttransfer.core.errors import FastTransferError
from fasttransfer.web import runtime
from fasttransfer.web.runtime import FILES, VERSION, runtime_files
from tests.helpers.sites import HAS_RUNTIME

ROOT = Path(__file__).parents[2]
BUILDER = ROOT / "packages" / "fasttransfer-web"


def test_the_package_is_of_the_same_version_and_has_the_same_files():
    assigned = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse((BUILDER / "hatch_build.py").read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert assigned["VERSION"] == VERSION
    assert set(assigned["FILES"]) == FILES["wasm"].keys() | FILES["webgpu"].keys()
    assert f'\nversion = "{VERSION}"' in (BUILDER / "pyproject.toml").read_text()
    assert f'"fasttransfer-web=={VERSION}",' in (ROOT / "pyproject.toml").read_text()


def test_a_missing_package_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "PACKAGE", "no_such_package")
    with pytest.raises(FastTransferError, match=f"npm install onnxruntime-web@{VERSION}"):
        runtime_files(None)


def test_a_folder_without_them_and_one_with_others(tmp_path: Path) -> None:
    with pytest.raises(FastTransferError, match="must be the folder dist of onnxruntime-web"):
        runtime_files(str(tmp_path))
    for name in FILES["wasm"]:
        (tmp_path / name).write_text("of another version")
    with pytest.raises(FastTransferError, match="is not the file of onnxruntime-web"):
        runtime_files(str(tmp_path))


@pytest.mark.skipif(not HAS_RUNTIME, reason="the extra web is not installed")
def test_the_installed_files() -> None:
    found = runtime_files(None)
    assert set(found) == FILES["wasm"].keys() | FILES["webgpu"].keys()
    assert max(map(len, found.values())) < 25 * 2**20  # what some hosts take at most
