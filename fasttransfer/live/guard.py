"""Who may use the page: requests of the page itself, with the token where one is required.

A page of another site may make a browser send requests here. Those that change something, and web
sockets, carry the site's name in ``Origin``. A site whose name is made to point to this machine
(DNS rebinding) has that name in ``Host``. Both are checked before anything else is looked at. Behind a
proxy, the page is called as ``live.origin=`` says.

Where other machines can connect, a request must also carry the token that the terminal shows: first
in the address (``?token=``), later in a cookie that scripts and other sites cannot use.
"""

import hmac
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .limits import RequestRates, is_too_large, limited_body, most_bytes, too_large

_READING = ("GET", "HEAD")


@dataclass(frozen=True)
class Refusal:
    """Why a request is not answered: the HTTP status and one sentence."""

    status: int
    sentence: str


@dataclass(frozen=True)
class Access:
    """Who may use the page.

    Attributes:
        host: the address that is listened at, as in the settings.
        token: what a request must carry; None asks for nothing.
        origin: what browsers call the page behind a proxy, such as ``https://example.org``.
    """

    host: str
    token: str | None = None
    origin: str | None = None

    def is_proxy(self, called: str) -> bool:
        """Whether a ``Host`` header is the proxy's."""
        return self.origin is not None and called.lower() == self.origin.partition("://")[2]


class Guard:
    """ASGI middleware that refuses what does not come from the page itself, or comes too often.

    Args:
        app: what is guarded.
        access: whose requests these are.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access
        self._rates = RequestRates()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on, or refuses; a web socket is refused before it opens."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers, most = Headers(scope=scope), most_bytes(scope["path"])
        refused = refusal(scope, headers, self._access)
        host, port = scope.get("client") or ("", 0)
        if not self._rates.allows(host, port, refused is None):
            refused = Refusal(429, "there are too many requests; try again in a second")
        elif refused is None and is_too_large(headers, most):
            refused = Refusal(413, too_large(most))
        if refused is not None:
            await _refuse(refused, scope, receive, send)
            return
        if scope["type"] == "http":
            receive = limited_body(receive, most)
        await self._app(scope, receive, _with_headers(send, self._answer_headers(scope, headers)))

    def _answer_headers(self, scope: Scope, headers: Headers) -> dict[str, str]:
        called, token = headers["host"], self._access.token
        answer = _policy(called)
        if token is not None and not _has_cookie(scope, headers, token):
            cookie = f"{_cookie_name(scope)}={token}; Path=/; HttpOnly; SameSite=Strict"
            encrypted = self._access.is_proxy(called) and str(self._access.origin).startswith(
                "https:"
            )
            answer["set-cookie"] = cookie + ("; Secure" if encrypted else "")
        return answer


async def _refuse(refused: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": refused.sentence})
        return
    # A body that is still coming is read and dropped, so that the client gets to see the answer.
    ends = {} if refused.status == 413 else {"connection": "close"}
    await PlainTextResponse(f"{refused.sentence}\n", refused.status, ends)(scope, receive, send)


def refusal(scope: Scope, headers: Headers, access: Access) -> Refusal | None:
    """Why a request is refused, or None."""
    called, origin = headers.get("host", ""), headers.get("origin")
    behind_proxy = access.is_proxy(called)
    if not behind_proxy and not is_own_name(called, access.host):
        sentence = (
            f"this page is not called {called or 'nothing'}; open the address in its terminal"
        )
        return Refusal(403, sentence)
    own = {access.origin} if behind_proxy else {access.origin, f"http://{called}"}
    if origin is not None and origin not in own:
        return Refusal(403, f"{origin} may not use the camera of this page")
    if origin is None and (scope["type"] == "websocket" or scope["method"] not in _READING):
        return Refusal(403, "a request that changes something needs its Origin")
    if access.token is not None and not _has_token(scope, headers, access.token):
        return Refusal(
            401,
            "this page requires a token; open the address in its terminal, which ends in ?token=",
        )
    return None


def _has_token(scope: Scope, headers: Headers, token: str) -> bool:
    asked = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=8).get("token", [])
    return any(same_token(given, token) for given in asked) or _has_cookie(scope, headers, token)


def _has_cookie(scope: Scope, headers: Headers, token: str) -> bool:
    given = cookie_parser(headers.get("cookie", "")).get(_cookie_name(scope), "")
    return same_token(given, token)


def same_token(given: str, token: str) -> bool:
    """Whether they are equal, in a time that does not depend on how much of ``given`` is right."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), token.encode())


def _cookie_name(scope: Scope) -> str:
    """One for each port: browsers share the cookies of a host between its ports."""
    server = scope.get("server")
    return f"fasttransfer-{server[1] if server else 0}"


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


def _policy(called: str) -> dict[str, str]:
    """What a browser may do with every answer: nothing from elsewhere, in no frame."""
    return {
        "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src 'self' blob:; connect-src 'self' ws://{called} wss://{called}; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }


def _with_headers(send: Send, headers: dict[str, str]) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
            message["headers"] = [*message["headers"], *encoded]
        await send(message)

    return wrapped
