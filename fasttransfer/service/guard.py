"""Who may use the service, and how much of it at a time, decided before a request's body is read.

A page of another site may make a browser send requests here, so the site in ``Origin`` and the name in
``Host`` are checked (DNS rebinding), as on the live page. Programs send the token in ``Authorization``.
"""

import time

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..live.guard import Access, is_own_name, same_token
from ..live.limits import is_too_large, limited_body, too_large
from .metrics import Metrics
from .work import BusyError, Work

STYLIZE = "/stylize"
_OPEN = ("/health",)  # for what watches over the process, which has no token
_AGAIN = 2  # seconds after which a refused client may try again


class Guard:
    """ASGI middleware that refuses requests of others, too large ones, and those without a place.

    Args:
        app: what is guarded.
        access: whose requests these are.
        work: the queue for pictures.
        metrics: counts what is answered.
        most: bytes of a request.
    """

    def __init__(
        self, app: ASGIApp, access: Access, work: Work, metrics: Metrics, most: int
    ) -> None:
        self._app = app
        self._access = access
        self._work = work
        self._metrics = metrics
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on, or refuses with one sentence."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, time.monotonic()

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-content-type-options", b"nosniff")]
            await send(message)

        try:
            await self._answer(scope, receive, counted)
        finally:
            if scope["path"] == STYLIZE:
                self._metrics.count(status, time.monotonic() - began)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if refused := self._refused(scope, headers):
            await _refuse(*refused)(scope, receive, send)
        elif scope["path"] != STYLIZE or scope["method"] != "POST":
            await self._app(scope, limited_body(receive, 0), send)
        else:
            try:
                with self._work.place():
                    await self._app(scope, limited_body(receive, self._most), send)
            except BusyError as error:
                again = {"retry-after": str(_AGAIN), "connection": "close"}
                await _refuse(429, str(error), again)(scope, receive, send)

    def _refused(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """The status and the sentence for a request that is not answered."""
        called, origin = headers.get("host", ""), headers.get("origin")
        own = {self._access.origin, f"http://{called}"}
        token = self._access.token
        if not (self._access.is_proxy(called) or is_own_name(called, self._access.host)):
            return 403, f"this service is not called {called or 'nothing'}"
        if origin is not None and origin not in own:
            return 403, f"{origin} may not use this service"
        if token is not None and scope["path"] not in _OPEN and not _has_token(headers, token):
            return 401, "this service requires its token: Authorization: Bearer TOKEN"
        if is_too_large(headers, self._most):
            return 413, too_large(self._most)
        return None


def _has_token(headers: Headers, token: str) -> bool:
    kind, _, given = headers.get("authorization", "").partition(" ")
    return kind.lower() == "bearer" and same_token(given.strip(), token)


def _refuse(status: int, sentence: str, headers: dict[str, str] | None = None) -> JSONResponse:
    ends = {"connection": "close"} if headers is None else headers
    if status == 401:
        ends |= {"www-authenticate": "Bearer"}
    return JSONResponse({"message": sentence}, status, ends)
