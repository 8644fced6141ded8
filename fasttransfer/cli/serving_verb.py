"""The verb serve."""

from typing import Any

import click

from ..core.errors import FastTransferError
from .options import WHOLE, Verb, complete_styles, line_of, setting, settings_of
from .stylizing_options import ENGINES


@click.command(
    "serve",
    cls=Verb,
    short_help="Stylize pictures for other programs, over HTTP.",
    epilog="""\
Examples:
  fasttransfer serve --style mosaic,udnie
  curl -F picture=@photo.jpg -F style=mosaic localhost:8643/stylize -o out.jpg
  fasttransfer serve --host 0.0.0.0 service.workers=4
""",
)
@click.argument("words", metavar="[KEY=VALUE]...", nargs=-1)
@setting(
    *("-s", "--style"),
    key="style",
    metavar="STYLE",
    shell_complete=complete_styles,
    help="What is offered: A,B,C.  [default: all bundled styles]",
)
@setting("--host", key="service.server.host", help="Address to listen at (127.0.0.1).")
@setting("--port", key="service.server.port", type=WHOLE, help="Or the next free one (8643).")
@setting("--token", key="service.server.token", help="What requests must show.")
@ENGINES
@settings_of("infer")
@click.pass_context
def serve(ctx: click.Context, /, words: tuple[str, ...], **_: Any) -> None:
    """Offers styles over HTTP: POST /stylize takes a picture and returns it stylized.

    /docs describes all of it. With an address other than this machine's own, requests need the token
    that is printed.
    """
    from ..core.values import as_list
    from ..models.style_file import bundled_styles
    from .infer import PROGRAM, main
    from .request import request, sort_words

    names, line = sort_words(PROGRAM, line_of(ctx, words))
    if names:
        raise FastTransferError(f"{names[0]} is not of the form key=value")
    style = line.options.get("style")
    line.options["style"] = bundled_styles() if style is None else as_list(style)
    main(request(PROGRAM, line, {}, ["task=serve"]))
