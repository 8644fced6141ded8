"""Where the service listens, and how it ends."""

import sys
from functools import partial

import uvicorn

from ..live.connections import BACKLOG, bounded_protocol, places
from ..live.guard import Access, is_loopback
from ..live.server import MAX_HEADERS, listen, page_url
from .app import create_app
from .guard import STYLIZE
from .settings import ServiceSettings
from .styles import OfferedStyles
from .work import Work


def serve(styles: OfferedStyles, settings: ServiceSettings) -> None:
    """Runs until Ctrl-C or SIGTERM; pictures that have a place are finished first.

    Raises:
        FastTransferError: no free port, or an address that is not of this machine.
    """
    host, token = settings.server.host, settings.server.choose_token()
    work = Work(settings.workers, settings.waiting, settings.seconds)
    access = Access(host, token, settings.server.origin)
    app = create_app(styles, settings.media, work, access, settings.max_bytes)
    say = partial(print, file=sys.stderr, flush=True)
    with listen(host, settings.server.port) as listening:
        port = listening.getsockname()[1]
        url = page_url(host, port, None).rstrip("/")
        say(f"listening at {url}, described at /docs (Ctrl-C ends it)")
        if token is not None:
            say(f"requests must have the header Authorization: Bearer {token}")
        if not is_loopback(host):
            say("the connection is not encrypted; put a proxy with TLS in front of it")
        config = uvicorn.Config(
            app,
            http=bounded_protocol(places(), uploads=(STYLIZE,)),
            ws="none",
            backlog=BACKLOG,
            log_level="error",
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=int(settings.seconds) + 1,
            h11_max_incomplete_event_size=MAX_HEADERS,
        )
        try:
            uvicorn.Server(config).run(sockets=[listening])
        finally:
            work.close()
