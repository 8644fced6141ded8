"""Answers of servers: JSON, and every error as one sentence."""

import json
from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from ..core.errors import FastTransferError


class AsciiJSON(JSONResponse):
    """JSON in ASCII: names of files may hold half a surrogate, which UTF-8 cannot."""

    def render(self, content: object) -> bytes:
        """Encodes ``content``."""
        return json.dumps(content).encode("ascii")


def add_error_handlers(app: FastAPI, status_of: Callable[[FastTransferError], int]) -> None:
    """Every error is JSON with a ``message``, one sentence.

    Args:
        app: what answers.
        status_of: the HTTP status of a mistake.
    """

    @app.exception_handler(FastTransferError)
    async def refused(request: Request, error: FastTransferError) -> Response:
        return AsciiJSON({"message": str(error)}, status_of(error))

    @app.exception_handler(RequestValidationError)
    async def misunderstood(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        return AsciiJSON({"message": f"{where}: {first['msg']}"}, 422)

    @app.exception_handler(HTTPException)
    async def impossible(request: Request, error: HTTPException) -> Response:
        return AsciiJSON({"message": error.detail}, error.status_code)
