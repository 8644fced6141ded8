"""What the service answers, by FastAPI."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Form, UploadFile
from fastapi.responses import Response
from fastapi_offline import FastAPIOffline
from pydantic import Field

from ..core.errors import FastTransferError
from ..live.answers import add_error_handlers
from ..live.guard import Access
from ..pipeline.settings import MediaSettings
from .guard import STYLIZE, Guard
from .metrics import Metrics
from .pictures import Asked, TooLargeError, answer
from .styles import OfferedStyles, UnknownStyleError
from .work import LateError, Work


class Sent(Asked):
    """A request for a picture."""

    picture: UploadFile = Field(description="The photo, a file")
    mask: UploadFile | None = Field(default=None, description="White where it is stylized, a file")


_STATUS: dict[type[Exception], int] = {
    UnknownStyleError: 404,
    TooLargeError: 413,
    LateError: 504,
}  # others: 422
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {}, "image/png": {}, "image/webp": {}}}
}


def create_app(
    styles: OfferedStyles, media: MediaSettings, work: Work, access: Access, max_bytes: int
) -> FastAPI:
    """The application.

    Args:
        styles: what is offered.
        media: how pictures are read and written.
        work: the queue for pictures.
        access: who may use it.
        max_bytes: of a request.
    """
    app: FastAPI = FastAPIOffline(
        title="fasttransfer", description="Stylizes pictures.", redoc_url=None
    )  # its page for trying things out loads nothing from other hosts
    metrics = Metrics(work)
    app.add_middleware(Guard, access=access, work=work, metrics=metrics, most=max_bytes)
    app.include_router(_pictures(styles, media, work))
    app.include_router(_about(styles, metrics))
    add_error_handlers(app, _status)
    return app


def _pictures(styles: OfferedStyles, media: MediaSettings, work: Work) -> APIRouter:
    router = APIRouter()

    @router.post(STYLIZE, response_class=Response, responses=_PICTURE)
    async def stylize(sent: Annotated[Sent, Form(media_type="multipart/form-data")]) -> Response:
        """The stylized picture, as large as the photo unless a size is given."""
        files = sent.picture.file, None if sent.mask is None else sent.mask.file
        contents, kind = await work.run(partial(answer, *files, sent, styles, media))
        return Response(contents, media_type=kind)

    return router


def _about(styles: OfferedStyles, metrics: Metrics) -> APIRouter:
    router = APIRouter()

    @router.get("/styles")
    def offered() -> list[dict[str, Any]]:
        """The styles, with their licenses, scores, and small pictures."""
        return [card | {"thumbnail": f"/styles/{card['name']}.jpg"} for card in styles.cards()]

    @router.get("/styles/{name}.jpg", response_class=Response)
    def thumbnail(name: str) -> Response:
        """A bundled photo in a style."""
        return Response(styles.thumbnail(name), media_type="image/jpeg")

    @router.get("/health")
    async def health() -> dict[str, str]:
        """Answers as long as the service runs."""
        return {"status": "ok"}

    @router.get("/metrics", response_class=Response)
    async def numbers() -> Response:
        """Counts and times, for Prometheus."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    return router


def _status(error: FastTransferError) -> int:
    return _STATUS.get(type(error), 422)
