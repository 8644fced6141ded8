"""The page answers only itself: no other site, and no other name for this machine.

A page of another site may make a browser send requests here. Those that change something, and web
sockets, carry the site's name in ``Origin``. A site whose name is made to point to this machine
(DNS rebinding) has that name in ``Host``. Both are checked before anything is looked at.
"""

import ipaddress
import socket

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_READING = ("GET", "HEAD")


class OwnOrigin:
    """ASGI middleware that refuses what does not come from the page itself.

    Args:
        app: what is guarded.
        host: the address that is listened at, as in the settings.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on, or answers 403; a web socket is refused before it opens."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        reason = refusal(scope, headers, self._host)
        if reason is None:
            await self._app(scope, receive, _with_policy(send, headers["host"]))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            await PlainTextResponse(f"{reason}\n", 403)(scope, receive, send)


def refusal(scope: Scope, headers: Headers, host: str) -> str | None:
    """Why a request is refused, or None."""
    called, origin = headers.get("host", ""), headers.get("origin")
    if not is_own_name(called, host):
        return (
            f"this page is not called {called or 'nothing'}; open it by the address it was told at"
        )
    if origin is not None and origin != f"http://{called}":
        return f"{origin} may not use the camera of this page"
    if origin is None and (scope["type"] == "websocket" or scope["method"] not in _READING):
        return "a request that changes something needs its Origin"
    return None


def is_own_name(called: str, host: str) -> bool:
    """Whether a ``Host`` header names this machine, when ``host`` is listened at.

    The port may be another, as through a tunnel. Beyond loopback any address is fine, since a
    foreign site cannot have an address for a name, and so are the host's own names.
    """
    name = called.rsplit(":", 1)[0] if not called.endswith("]") else called
    name = name.strip("[]").lower()
    if is_loopback(host):
        return name in ("localhost", "127.0.0.1", "::1", host.lower())
    own = socket.gethostname().lower()
    return name in ("localhost", host.lower(), own, f"{own}.local") or _address(name) is not None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches ``host``."""
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _with_policy(send: Send, called: str) -> Send:
    """Adds to every answer what a browser may do with it: nothing from elsewhere, in no frame."""
    headers = {
        "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src 'self' blob:; connect-src 'self' ws://{called}; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
            message["headers"] = [*message["headers"], *encoded]
        await send(message)

    return wrapped
