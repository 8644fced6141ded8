"""Exported pages, and a host that serves them as any static host does."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

from fasttransfer.stylizing.settings import EngineSettings
from fasttransfer.stylizing.stylizer import Stylizer
from fasttransfer.web.runtime import PACKAGE
from fasttransfer.web.site import export_site
from tests.helpers.live import stylizers

ENGINE = EngineSettings("torch", "cpu", "float32")
HAS_RUNTIME = find_spec(PACKAGE) is not None and find_spec("onnxscript") is not None
ISOLATED = {  # what lets a page have threads
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}


def offered() -> list[Stylizer]:
    """Two bundled styles, whose weights can be mixed, and one whose pictures only can."""
    bundled = [Stylizer(name, engine=ENGINE) for name in ("mosaic_realtime", "udnie_realtime")]
    return [*bundled, *stylizers("wood")]


def make_site(folder: Path) -> Path:
    """The page of the styles that are ``offered``."""
    return export_site(offered(), str(folder), runtime=None, overwrite=False)


@contextmanager
def host(folder: Path, headers: Mapping[str, str] = {}) -> Iterator[ThreadingHTTPServer]:
    """Python's own server for a folder, with more headers."""

    class Handler(SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            for name, value in headers.items():
                self.send_header(name, value)
            super().end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def address(server: ThreadingHTTPServer) -> str:
    """Of the page."""
    return f"http://127.0.0.1:{server.server_port}/"
