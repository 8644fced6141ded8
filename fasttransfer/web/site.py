"""A folder that any web host serves: a page, the styles, and what runs them in browsers."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from ..core.assets import CAMERA_PAGE
from ..core.errors import FastTransferError, brief
from ..core.files import write_whole
from ..core.paths import exists, expand_user, is_folder
from ..models.style_file import StyleFile
from ..stylizing.stylizer import Stylizer
from ..stylizing.thumbnails import PHOTO, make_thumbnails
from .networks import blends, graph_of, packed_weights, shape_of
from .runtime import FILES, VERSION, runtime_files

OUTPUT = "site"  # unless another folder is named
START = "index.html"
OWN_PARTS = Path(str(files(__package__) / "page"))  # what only this page has
IN_ROOT = ("sw.js", "licenses.txt")  # of them; a service worker serves the folder that it lies in

# What the template of the page leaves open.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'"
)
WORDS = {
    "title": "fasttransfer",
    "kind": "web",
    "script": "web/web.js",
    "example": "Show an example",
    "note": "Everything is computed in this browser. No picture leaves this machine.",
    "head": f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
    '<script src="web/opened.js" defer></script>\n',
    "footer": '  <p class="note"><span>No picture leaves this machine.</span> <span id="engine"></span> '
    '<span id="offline"></span> '
    '<a href="licenses.txt">Licenses</a></p>\n',
}


def export_site(
    stylizers: Sequence[Stylizer],
    output: str | None,
    *,
    runtime: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes a page that stylizes the visitor's camera and photos in the visitor's browser.

    Args:
        stylizers: of the styles that it offers, in order, with names that differ.
        output: the folder; None is ``site`` in the current one.
        runtime: see ``runtime_files``.
        overwrite: replace files that are there; others in the folder stay.

    Returns:
        The folder.

    Raises:
        FastTransferError: a style that is no single network, a missing library or file, or a folder
            that is not empty or cannot be written to.
    """
    folder = expand_user(output or OUTPUT)
    styles = [_network_of(stylizer) for stylizer in stylizers]
    try:
        if not overwrite and exists(folder) and not _is_empty(folder):
            raise FastTransferError(f"{folder} is not empty; write overwrite=true to replace it")
        contents = _site_files(styles, make_thumbnails(stylizers), runtime_files(runtime))
        for name, content in contents.items():  # the page last: without it, there is no site
            _write(folder / name, content)
    except OSError as error:
        raise FastTransferError(f"{folder} cannot be written ({brief(error)})") from error
    return folder


def _network_of(stylizer: Stylizer) -> StyleFile:
    if not isinstance(stylizer.style, StyleFile):
        raise FastTransferError(
            f"{stylizer.name} mixes the pictures of several networks and cannot be exported; export its "
            "styles, which the page blends"
        )
    return replace(stylizer.style, name=stylizer.name)


def _is_empty(folder: Path) -> bool:
    return is_folder(folder) and not any(folder.iterdir())


def _write(path: Path, content: bytes) -> None:
    write_whole(path, lambda file: file.write(content))


def _site_files(
    styles: Sequence[StyleFile], thumbnails: Sequence[bytes], runtime: Mapping[str, bytes]
) -> dict[str, bytes]:
    """The contents of all files by their paths, the page itself last."""
    found = {f"page/{path.name}": path.read_bytes() for path in _parts(CAMERA_PAGE)}
    for path in _parts(OWN_PARTS):
        found[path.name if path.name in IN_ROOT else f"web/{path.name}"] = path.read_bytes()
    licenses = Template(found["licenses.txt"].decode())
    lines = [f"{style.name}: {style.metadata.get('license', 'not stated')}" for style in styles]
    found["licenses.txt"] = licenses.substitute(version=VERSION, styles="\n".join(lines)).encode()
    described = _described(styles, thumbnails, found)
    described["photo"] = _add(found, "photos", PHOTO.read_bytes(), ".jpg")
    described["runtime"] = {kind: [*names] for kind, names in FILES.items()}
    described["files"] = ["./", "site.json", *found]  # for times without a network
    found |= {f"runtime/{name}": content for name, content in runtime.items()}
    found["site.json"] = json.dumps(described).encode()
    page = Template((CAMERA_PAGE / START).read_text("utf-8"))
    found[START] = page.substitute(WORDS).encode()
    return found


def _parts(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.is_file() and path.name != START)


def _described(
    styles: Sequence[StyleFile], thumbnails: Sequence[bytes], found: dict[str, bytes]
) -> dict[str, Any]:
    """What the page reads of the styles; their files are added to those that are ``found``."""
    numbers: dict[str, int] = {}
    networks, described = [], []
    for style, thumbnail, others in zip(styles, thumbnails, blends(styles), strict=True):
        shape = shape_of(style.network)
        if shape not in numbers:
            numbers[shape] = len(numbers)
            graph = graph_of(style.network)
            place = _add(found, "networks", graph.model, ".onnx")
            shapes = {"weights": graph.weights, "smallest": graph.smallest}
            networks.append({"graph": place, **shapes})
        weights, kind = packed_weights(style.network)
        described.append(
            {
                "name": style.name,
                "network": numbers[shape],
                "weights": _add(found, "styles", weights, ".bin"),
                "type": kind,
                "thumbnail": _add(found, "styles", thumbnail, ".jpg"),
                "blends": others,
            }
        )
    return {"styles": described, "networks": networks}


def _add(found: dict[str, bytes], folder: str, content: bytes, suffix: str) -> str:
    """Adds a file whose name changes with its contents, so that no cache gives an old one."""
    name = f"{folder}/{hashlib.sha256(content).hexdigest()[:16]}{suffix}"
    found[name] = content
    return name
