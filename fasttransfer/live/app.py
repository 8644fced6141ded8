"""The page and what it asks for, by FastAPI; pictures go over a web socket.

A window asks for one picture at a time (``next``, or ``wipe`` to get the original too) and asks again
when it has drawn it, so that nothing waits in a socket. If there is no new picture for a while, the
answer is the state alone.
"""

import asyncio
import json
import time
from importlib.resources import files
from pathlib import Path
from typing import Literal

from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from ..core.errors import FastTransferError
from .guard import Guard
from .limits import OverQuotaError
from .messages import encode
from .session import Session
from .shown import Shown

PAGE = Path(str(files(__package__) / "page"))
WINDOWS = 32  # that may show pictures at the same time
QUIET_SECONDS = 0.5  # without a picture, after which a window gets the state alone
SENT_AGE = 0.75  # of the largest age, after which a picture is not sent: it has a way to go


class Changes(BaseModel):
    """What the page may set; what is absent stays."""

    model_config = ConfigDict(extra="forbid")
    style: str | None = None
    strength: float | None = Field(None, ge=0, le=1)
    color: Literal["style", "content"] | None = Field(
        None, validation_alias=AliasChoices("color", "colour")
    )
    camera: str | None = None


class Recording(BaseModel):
    """Start or end a recording."""

    model_config = ConfigDict(extra="forbid")
    on: bool


class AsciiJSON(JSONResponse):
    """JSON in ASCII: names of files may hold half a surrogate, which UTF-8 cannot."""

    def render(self, content: object) -> bytes:
        """Encodes ``content``."""
        return json.dumps(content).encode("ascii")


def create_app(session: Session, host: str, token: str | None = None) -> FastAPI:
    """The application for a session that listens at ``host`` and asks for ``token``, if any."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, host=host, token=token)
    app.mount("/page", StaticFiles(directory=PAGE))
    _add_error_handlers(app)
    _add_routes(app, session)
    return app


def _add_error_handlers(app: FastAPI) -> None:
    """Every error is JSON with a ``message``, one sentence."""

    @app.exception_handler(FastTransferError)
    def refused(request: Request, error: FastTransferError) -> Response:
        status = 429 if isinstance(error, OverQuotaError) else 409
        return AsciiJSON({"message": str(error)}, status)

    @app.exception_handler(RequestValidationError)
    def misunderstood(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        return AsciiJSON({"message": f"{where}: {first['msg']}"}, 422)

    @app.exception_handler(HTTPException)
    def impossible(request: Request, error: HTTPException) -> Response:
        return AsciiJSON({"message": error.detail}, error.status_code)


def _add_routes(app: FastAPI, session: Session) -> None:
    @app.get("/")
    def page() -> Response:
        return FileResponse(PAGE / "index.html")

    @app.get("/state")
    def state() -> Response:
        offered = {
            "styles": session.styles,
            "cameras": session.cameras(),
            "saved": [*session.saved],
            "max_age": session.settings.max_age,
            "folder": str(session.folder),
        }
        return AsciiJSON(session.state() | offered)

    @app.post("/state")
    def choose(changes: Changes) -> Response:
        session.choose(**changes.model_dump(exclude_none=True))
        return AsciiJSON(session.state())

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

    @app.websocket("/frames")
    async def frames(window: WebSocket) -> None:
        await window.accept()
        if len(session.listeners) >= WINDOWS:
            await window.close(
                1013, f"{WINDOWS} windows show the camera already; close one of them."
            )
            return
        await _send_pictures(window, session)


def _saved_file(path: Path) -> dict[str, object]:
    return {"name": path.name, "path": str(path), "link": f"/saved/{path.name}"}


async def _send_pictures(window: WebSocket, session: Session) -> None:
    loop, something_new, seen = asyncio.get_running_loop(), asyncio.Event(), 0

    def notify() -> None:
        loop.call_soon_threadsafe(something_new.set)

    with session.listeners.hearing(notify):
        try:
            while True:
                asked = await window.receive_text()
                shown = await _next_picture(session, something_new, seen)
                seen = seen if shown is None else shown.number
                answer = asyncio.to_thread(encode, session.state(), shown, asked == "wipe")
                await window.send_bytes(await answer)
        except (WebSocketDisconnect, RuntimeError, KeyError):
            return  # the window is closed, or sends what is no text


async def _next_picture(session: Session, new: asyncio.Event, seen: int) -> Shown | None:
    """The newest picture after number ``seen`` once there is one that is young enough."""
    until = time.perf_counter() + QUIET_SECONDS
    while (left := until - time.perf_counter()) > 0:
        new.clear()
        shown = session.newest
        if (
            shown is not None
            and shown.number > seen
            and shown.age < SENT_AGE * session.settings.max_age
        ):
            return shown
        try:
            await asyncio.wait_for(new.wait(), left)
        except asyncio.TimeoutError:  # in Python 3.10, it is not the built-in one
            break
    return None
