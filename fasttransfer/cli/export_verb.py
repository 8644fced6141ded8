"""The verb export."""

from typing import Any

import click

from ..core.errors import FastTransferError
from ..stylizing.exporters.formats import FORMATS
from .options import PATH, WHOLE, Verb, Words, complete_styles, line_of, setting, settings_of
from .stylizing_options import OVERWRITE, PRECISION


@click.command(
    "export",
    cls=Verb,
    short_help="Write styles for other programs, such as ONNX, or as a web page.",
    epilog="""\
Examples:
  fasttransfer export mosaic
  fasttransfer export runs/painting --to openvino -o exported/
  fasttransfer export mosaic --size 640x480 --range 255    for OpenCV
  fasttransfer export mosaic --size 512x512 --half         for a GPU or a phone
  fasttransfer export mosaic --precision int8              8-bit integers
  fasttransfer export mosaic udnie --to web -o site/    a page that needs no server
""",
)
@click.argument("styles", nargs=-1, type=PATH, shell_complete=complete_styles)
@setting(
    *("-s", "--style"),
    key="style",
    metavar="STYLE",
    shell_complete=complete_styles,
    help="The same as STYLES.",
)
@setting(
    *("--format", "--to"),
    key="export",
    type=Words([*FORMATS, "web"]),
    help="What the file is for; web: a folder with a page.  [onnx]",
)
@setting(*("-o", "--output"), key="output", type=PATH, help="A file or a folder.  [default: here]")
@setting(
    "--kind",
    key="export_kind",
    type=Words(["photos", "frames"]),
    help="photos: float RGB (B, 3, H, W) in [0, 1]; frames: RGB bytes (B, H, W, 3).",
)
@setting(
    "--size", key="size", metavar="WxH", help="Width and height of all pictures.  [default: any]"
)
@setting("--layout", key="layout", type=Words(["nchw", "nhwc"]), help="Order of the axes.")
@setting("--range", key="range", type=WHOLE, help="Largest value, 1 or 255.")
@setting("--half", key="half", is_flag=True, help="float16 inside.")
@setting("--opset", key="opset", type=WHOLE, help="Version of ONNX's operations, 13 to 24.")
@PRECISION
@OVERWRITE
@settings_of("infer")
@click.pass_context
def export(ctx: click.Context, /, styles: tuple[str, ...], **_: Any) -> None:
    """Writes STYLES for other programs.

    Without --size, the network takes any number of pictures of any size. Each file is checked after
    writing: it must make the pictures that PyTorch makes.
    """
    from ..core.values import as_list
    from .infer import PROGRAM, main
    from .request import request, sort_words

    names, line = sort_words(PROGRAM, line_of(ctx, styles))
    names = [name for text in (*names, line.options.pop("style", None)) for name in as_list(text)]
    if not names:
        raise FastTransferError("give at least one style, such as fasttransfer export mosaic")
    main(request(PROGRAM, line, {"style": names}, ["task=export"]))
