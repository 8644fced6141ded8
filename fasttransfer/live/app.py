"""The page and what it asks for, by FastAPI; pictures go over web sockets, see ``windows``."""

import time
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Literal
from urllib.parse import quote

from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import FileResponse, HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from ..core.assets import CAMERA_PAGE
from ..core.errors import FastTransferError
from .answers import AsciiJSON, add_error_handlers
from .guard import Access, Guard
from .limits import PHOTO, OverQuotaError
from .photos import Photos
from .session import Session
from .windows import receive_camera, send_pictures

OWN_PARTS = Path(str(files(__package__) / "page"))  # what only this page has
# What its template leaves open.
WORDS = {
    "title": "fasttransfer live",
    "kind": "live",
    "script": "live/live.js",
    "example": "Show the test picture",
    "note": "All open windows of this page show the same picture.",
    "head": "",
    "footer": "",
}


class Changes(BaseModel):
    """What the page may set; what is absent stays."""

    model_config = ConfigDict(extra="forbid")
    style: str | None = None
    second: str | None = None
    share: float | None = Field(None, ge=0, le=1)
    strength: float | None = Field(None, ge=0, le=1)
    color: Literal["style", "content"] | None = Field(
        None, validation_alias=AliasChoices("color", "colour")
    )
    camera: str | None = None
    mask: str | None = None
    invert: bool | None = None


class Recording(BaseModel):
    """Start or end a recording."""

    model_config = ConfigDict(extra="forbid")
    on: bool


def create_app(session: Session, access: Access) -> FastAPI:
    """The application for a session, for those who have access."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, access=access)
    app.mount("/page", StaticFiles(directory=CAMERA_PAGE))
    app.mount("/live", StaticFiles(directory=OWN_PARTS))
    add_error_handlers(app, _status)
    for add in (_add_page, _add_state, _add_photos, _add_saving):
        add(app, session)
    return app


def _status(error: FastTransferError) -> int:
    return 429 if isinstance(error, OverQuotaError) else 409


def _add_page(app: FastAPI, session: Session) -> None:
    template = Template((CAMERA_PAGE / "index.html").read_text("utf-8"))

    @app.get("/")
    def page() -> Response:
        return HTMLResponse(template.substitute(WORDS))

    @app.get("/clean")
    def clean() -> Response:
        return FileResponse(OWN_PARTS / "clean.html")

    @app.get("/clock")
    async def clock() -> Response:
        return AsciiJSON({"now": 1000 * time.time()})

    @app.get("/thumbnail/{number}")
    async def thumbnail(number: int) -> Response:
        if not 0 <= number < len(session.thumbnails):
            raise HTTPException(404, "there is no such style")
        return Response(session.thumbnails[number], media_type="image/jpeg")

    @app.websocket("/frames")
    async def frames(window: WebSocket) -> None:
        await window.accept()
        await send_pictures(window, session)

    @app.websocket("/camera")
    async def camera(window: WebSocket) -> None:
        await window.accept()
        await receive_camera(window, session)


def _add_state(app: FastAPI, session: Session) -> None:
    @app.get("/state")
    def state() -> Response:
        offered = {
            "styles": session.styles,
            "cameras": session.cameras.offered(),
            "masks": session.masks.offered,
            "missing": session.cameras.missing,
            "saved": [*session.saved],
            "max_age": session.settings.max_age,
            "size": session.settings.size,
            "rate": session.settings.rate,
            "folder": str(session.folder),
        }
        return AsciiJSON(session.state() | offered)

    @app.post("/state")
    def choose(changes: Changes) -> Response:
        session.choose(**changes.model_dump(exclude_none=True))
        return AsciiJSON(session.state())


def _add_photos(app: FastAPI, session: Session) -> None:
    photos = Photos(session.settings.media)

    @app.post(PHOTO)
    async def photo(request: Request) -> Response:
        contents, kind = await photos.answer(request.stream(), session.stylizer, session.photo_mask)
        return Response(contents, media_type=kind)


def _add_saving(app: FastAPI, session: Session) -> None:
    @app.post("/snapshot")
    def snapshot() -> Response:
        return AsciiJSON(_saved_file(session.snapshot()))

    @app.post("/recording")
    def recording(wanted: Recording) -> Response:
        path = session.record(wanted.on)
        return AsciiJSON({} if path is None else _saved_file(path))

    @app.get("/saved/{name}")
    def saved(name: str) -> Response:
        if name not in session.saved or not session.saved[name].is_file():
            raise HTTPException(404, "there is no such file")
        return FileResponse(session.saved[name], filename=name)


def _saved_file(path: Path) -> dict[str, object]:
    return {"name": path.name, "path": str(path), "link": f"/saved/{quote(path.name)}"}
