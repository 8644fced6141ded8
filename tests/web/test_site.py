"""The folder of an exported page: its files, and what they refer to."""

import json
import posixpath
import re
from pathlib import Path

import pytest
from PIL import Image

from fasttransfer.core.errors import FastTransferError
from fasttransfer.models.blending import blend
from fasttransfer.models.style_file import StyleFile
from fasttransfer.stylizing.stylizer import Stylizer
from fasttransfer.web import site as module
from fasttransfer.web.runtime import FILES
from fasttransfer.web.site import export_site
from tests.helpers.live import stylizers
from tests.helpers.sites import ENGINE

pytest.importorskip("onnxscript")
pytestmark = pytest.mark.slow  # exporting

RUNTIME = {name: name.encode() for name in FILES["wasm"] | FILES["webgpu"]}


@pytest.fixture(autouse=True)
def _without_the_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its contents do not matter here, and are not everywhere."""
    monkeypatch.setattr(module, "runtime_files", lambda folder: RUNTIME)


def export(folder: Path, *names: str, overwrite: bool = False) -> Path:
    return export_site(stylizers(*names), str(folder), runtime=None, overwrite=overwrite)


def test_everything_it_refers_to_is_in_the_folder(tmp_path: Path) -> None:
    folder = export(tmp_path / "a = b, [ü]", "wood", "ink")
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    page = (folder / "index.html").read_text("utf-8")
    assert "$" not in page
    found = re.findall(r'(?:src|href)="([^"]+)"', page)
    for name in found:
        assert name in files
        if not name.endswith(".js"):
            continue
        text = (folder / name).read_text("utf-8")
        imported = re.findall(r'(?:from |new URL\()"(\.{0,2}/?[\w./]+\.js)"', text)
        paths = [posixpath.normpath(f"{posixpath.dirname(name)}/{one}") for one in imported]
        found += [path for path in dict.fromkeys(paths) if path not in found]
    assert {"web/worker.js", "web/weights.js", "page/wipe.js"} <= set(found)
    described = json.loads((folder / "site.json").read_text())
    assert set(described["files"]) - {"./"} <= files
    assert {f"runtime/{name}" for names in described["runtime"].values() for name in names} <= files
    assert [style["name"] for style in described["styles"]] == ["wood", "ink"]
    assert len(described["networks"]) == 1
    for style in described["styles"]:
        assert (folder / style["weights"]).stat().st_size > 0
        assert Image.open(folder / style["thumbnail"]).width == 160
    assert "wood: not stated" in (folder / "licenses.txt").read_text()
    for path in folder.rglob("*.js"):
        assert not re.search(r"https?://(?!localhost)\w", path.read_text("utf-8")), path


def test_a_folder_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    with pytest.raises(FastTransferError, match="is not empty; write overwrite=true"):
        export(tmp_path, "wood")
    with pytest.raises(FastTransferError, match="is not empty"):
        export(mine, "wood")
    assert [*tmp_path.iterdir()] == [mine]
    export(tmp_path, "wood", overwrite=True)
    assert mine.read_text() == "mine"
    assert (tmp_path / "index.html").is_file()
    with pytest.raises(FastTransferError, match="cannot be written"):
        export(mine, "wood", overwrite=True)


def test_a_mixture_of_pictures_is_no_network(tmp_path: Path) -> None:
    wood, ink = (StyleFile(one.network, one.name) for one in stylizers("wood", "ink"))
    mixture = Stylizer(blend([(wood, 1), (ink, 1)]), engine=ENGINE)
    with pytest.raises(FastTransferError, match="cannot be exported"):
        export_site([mixture], str(tmp_path), runtime=None, overwrite=True)
    assert not [*tmp_path.iterdir()]
