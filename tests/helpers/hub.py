"""A small server with the few calls of a hub of models that pushing and loading a style make.

It is not the hub: it stands for one in tests, as far as huggingface_hub asks.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "a" * 40
TOKEN = "hf_of_the_test"


class Hub(ThreadingHTTPServer):
    """Files by repository and name, and the requests that came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, dict[str, bytes]] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._file(with_body=False)

    def do_GET(self) -> None:
        self._file(with_body=True)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.asked.append(f"POST {self.path}")
        if self.path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif self.headers.get("authorization") != f"Bearer {TOKEN}":
            self._json({"error": "no"}, 401)
        elif self.path == "/api/repos/create":
            asked = json.loads(body)
            repo = "/".join(filter(None, [asked.get("organization"), asked["name"]]))
            self.server.files.setdefault(repo, {})
            self._json({"url": f"{self.server.url}/{repo}"})
        elif "/preupload/" in self.path:
            names = [file["path"] for file in json.loads(body)["files"]]
            modes = [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in names]
            self._json({"files": modes})
        elif "/commit/" in self.path:
            repo = self.path.split("/api/models/")[1].split("/commit/")[0]
            for line in map(json.loads, body.decode().splitlines()):
                if line["key"] == "file":
                    value = line["value"]
                    self.server.files[repo][value["path"]] = base64.b64decode(value["content"])
            self._json({"commitUrl": f"{self.server.url}/{repo}/commit/{COMMIT}",
                        "commitOid": COMMIT, "success": True})  # fmt: skip
        else:
            self._json({"error": "no"}, 404)

    def _file(self, with_body: bool) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        repo, found, rest = self.path.lstrip("/").partition("/resolve/")
        contents = self.server.files.get(repo, {}).get(rest.partition("/")[2])
        if not found or contents is None:
            code = "EntryNotFound" if repo in self.server.files else "RepoNotFound"
            self._json({"error": "no"}, 404, {"X-Error-Code": code})
            return
        self.send_response(200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha256(contents).hexdigest()}"')
        self.send_header("Content-Length", str(len(contents)))
        self.end_headers()
        if with_body:
            self.wfile.write(contents)

    def _json(
        self, value: object, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        text = json.dumps(value).encode()
        self.send_response(status)
        for name, one in ({"Content-Type": "application/json"} | (headers or {})).items():
            self.send_header(name, one)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def hub() -> Iterator[Hub]:
    """A running server."""
    with Hub() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
