"""Where the page is served: its port, its addresses, and its end."""

import os
import signal
import socket
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from ..core.errors import FastTransferError
from .app import create_app
from .connections import BACKLOG, bounded_protocol, places
from .guard import Access, is_loopback
from .limits import FRAMES_WAITING, MAX_FRAME
from .session import Session
from .settings import ServerSettings

PORTS_TRIED = 20
MAX_HEADERS = 32 * 1024  # bytes of a request's headers


def serve(session: Session, settings: ServerSettings) -> None:
    """Runs until Ctrl-C; see ``run_live``.

    Raises:
        FastTransferError: no port, or no camera.
    """
    host, token = settings.host, settings.choose_token()
    with listen(host, settings.port) as listening, _closed_whatever_happens(session):
        session.start()
        port = listening.getsockname()[1]
        url = page_url(_local_name(host), port, token)
        print(f"see it at {url} (Ctrl-C ends it)", file=sys.stderr, flush=True)
        if not is_loopback(host):
            print(
                f"from other machines: {page_url(_name_for_others(host), port, token)}\n"
                "anyone who has this address sees the camera, and the connection is not encrypted",
                file=sys.stderr,
                flush=True,
            )
        if settings.origin is not None:
            print(
                f"behind the proxy: {settings.origin}/?token={token}", file=sys.stderr, flush=True
            )
        if settings.open_browser and _has_desktop():
            webbrowser.open(url)
        config = uvicorn.Config(
            create_app(session, Access(host, token, settings.origin)),
            http=bounded_protocol(places()),
            backlog=BACKLOG,
            log_level="error",  # what clients do wrong would fill the terminal
            access_log=False,
            server_header=False,
            lifespan="off",  # what is to be done at the end is done here, also after two Ctrl-C
            timeout_graceful_shutdown=2,
            h11_max_incomplete_event_size=MAX_HEADERS,
            ws_max_size=MAX_FRAME,
            ws_max_queue=FRAMES_WAITING,
            ws_per_message_deflate=False,
        )
        uvicorn.Server(config).run(sockets=[listening])


def page_url(host: str, port: int, token: str | None) -> str:
    """What a browser opens, with the token if there is one."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/" + ("" if token is None else f"?token={token}")


def _local_name(host: str) -> str:
    """What a browser on this machine calls ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _name_for_others(host: str) -> str:
    """What other machines call ``host``: an address that is all of them is none to connect to."""
    if _local_name(host) == host:
        return host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    outside = "2001:db8::1" if ":" in host else "192.0.2.1"  # of documentations; nothing is sent
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((outside, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return socket.gethostname()


@contextmanager
def _closed_whatever_happens(session: Session) -> Iterator[None]:
    """Closes the session at the end, at Ctrl-C and at SIGTERM, so that a recording is whole."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        before = dict.fromkeys(before, signal.SIG_IGN)  # the process ends: once is enough
        raise
    finally:
        for number in before:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C would lose the recording
        session.close()
        for number, handler in before.items():
            signal.signal(number, handler)


def listen(host: str, port: int) -> socket.socket:
    """A socket at the first free port from ``port`` on.

    Raises:
        FastTransferError: none is free, or ``host`` is no address of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    except OSError as error:
        raise FastTransferError(f"live.host={host} is no address; write 127.0.0.1") from error
    last = min(port + PORTS_TRIED, 65535)
    for candidate in range(port, last + 1):
        try:
            return socket.create_server((host, candidate), family=family)
        except OSError as error:
            problem = error
    raise FastTransferError(
        f"nothing can listen at {host}, ports {port} to {last} ({problem.strerror}); set live.port= "
        "to a free one"
    )


def _has_desktop() -> bool:
    """Whether a browser opens in a window, not over this text in the terminal."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
