"""The verbs that use trained styles: stylize, live, compare, styles."""

from typing import Any

import click

from ..core.errors import FastTransferError
from ..core.paths import exists, expand_user
from .options import (
    NUMBER,
    PATH,
    WHOLE,
    Verb,
    Words,
    complete_styles,
    line_of,
    setting,
    settings_of,
)
from .stylizing_options import (
    ENGINES,
    LOOKS,
    MASKS,
    OUTPUT,
    OVERWRITE,
    REGIONS,
    SIZE,
    STYLE,
)


@click.command(
    "stylize",
    cls=Verb,
    short_help="Stylize pictures, videos, and folders.",
    epilog="""\
Examples:
  fasttransfer stylize photo.jpg --style starry_night -o out.jpg
  fasttransfer stylize photos/ --style mosaic -o out/        a folder with its subfolders
  fasttransfer stylize 'photos/*.jpg' --style mosaic,udnie   one result for each style
  fasttransfer stylize clip.mp4 --style mosaic -o out.mp4    a video, with its sound
  fasttransfer stylize photo.jpg --keep-colors --strength 0.7 --size 1600
  fasttransfer stylize photo.jpg --mask mask.png             only where the mask is white
  fasttransfer photo.jpg --style mosaic,udnie --mask mask.png --regions
  fasttransfer stylize -- -odd-name.jpg                      a name that starts with a dash
  fasttransfer photo.jpg --style mosaic                      stylize may be left out

Any setting that --settings lists may follow as key=value, such as video.crf=16.
""",
)
@click.argument("files", nargs=-1, type=PATH)
@STYLE
@OUTPUT
@SIZE
@LOOKS
@MASKS
@REGIONS
@setting(
    "--painting",
    key="style.path",
    type=PATH,
    help="A painting instead of a trained style: the slow method, minutes per picture.",
)
@setting("--format", key="format", help="Of all results, such as png or mkv.")
@setting("--quality", key="quality", type=WHOLE, help="Of JPEG, WebP, and AVIF, 1 to 100 (92).")
@setting(
    "--metadata",
    key="metadata",
    type=Words(["keep", "none"]),
    help="Date, place, camera, author, and resolution in written pictures.",
)
@setting(
    "--tiles",
    key="tiles",
    type=Words(["auto", "exact", "thumbnail", "off"]),
    help="For pictures larger than memory.",
)
@setting(
    "--steady",
    key="steady",
    type=NUMBER,
    help="Of videos, 0 to 1: how much strokes stay in place; 0 stylizes each frame by itself (1).",
)
@click.option("--volume", is_flag=True, help="The input is a stack of slices.")
@setting("--shard", key="shard", metavar="I/N", help="Only the I-th of N parts of the files.")
@setting("--cluster", key="cluster", type=Words(["ray"]), help="Use all machines of a cluster.")
@ENGINES
@OVERWRITE
@settings_of("infer")
@click.pass_context
def stylize(ctx: click.Context, /, files: tuple[str, ...], volume: bool, **_: Any) -> None:
    """Stylizes FILES: pictures, videos, folders, patterns in quotes, or URLs.

    Without -o, results go next to the input and are named after the style. Existing results are
    skipped unless --overwrite is given.
    """
    from .infer import PROGRAM, main
    from .request import request, sort_words

    typed = line_of(ctx, files)
    chosen = ["task=volume"] if volume else []
    chosen += ["stylizer=optimize"] if "style.path" in typed.options else []
    if "style.path" in typed.options and "style" in typed.options:
        raise FastTransferError("give a trained --style or a --painting, not both")
    names, line = sort_words(PROGRAM, typed, chosen)
    values: dict[str, object] = {}
    if names:
        values["input"] = [_file(name) for name in names]
    elif not any(word.startswith("input=") for word in line.words):
        raise FastTransferError(
            "give a picture, a video, a folder, or a pattern in quotes, such as "
            "fasttransfer stylize photo.jpg --style mosaic"
        )
    main(request(PROGRAM, _with_styles(line), values, chosen))


@click.command(
    "live",
    cls=Verb,
    short_help="Show a camera in the browser, stylized live.",
    epilog="""\
Examples:
  fasttransfer live --style mosaic,udnie
  fasttransfer live 1 --style mosaic           the second camera
  fasttransfer live clip.mp4 --style mosaic    a video instead of a camera
  fasttransfer live browser                    the camera of the browser
  fasttransfer live pattern                    a test picture
  fasttransfer live --mask person --invert-mask    the background only
""",
)
@click.argument("words", metavar="[SOURCE]", nargs=-1, type=PATH)
@STYLE
@setting(
    *("-o", "--output"), key="output", type=PATH, help="Folder for snapshots and recordings (.)."
)
@setting("--size", key="size", type=WHOLE, help="Longer side of the pictures in pixels (640).")
@LOOKS
@MASKS
@setting("--host", key="live.host", help="Address to listen at (127.0.0.1: this machine only).")
@setting("--port", key="live.port", type=WHOLE, help="Port of the page, or the next free one.")
@setting("--rate", key="live.rate", type=NUMBER, help="Frames per second to request (30).")
@setting(
    "--steady",
    key="live.steady",
    type=NUMBER,
    help="0 to 1: how much strokes stay in place; 0 stylizes each frame by itself (0).",
)
@setting(
    "--browser/--no-browser",
    key="live.open_browser",
    help="Open the page where there is a desktop.",
)
@ENGINES
@settings_of("infer")
@click.pass_context
def live(ctx: click.Context, /, words: tuple[str, ...], **_: Any) -> None:
    """Shows a camera on a page in the browser, in styles that the page switches between.

    SOURCE is the number of a camera (0), a video file, or one of the words browser (the camera of the
    browser that shows the page) and pattern (a test picture).
    """
    from .infer import PROGRAM, main
    from .request import request, sort_words

    names, line = sort_words(PROGRAM, line_of(ctx, words))
    if len(names) > 1:
        raise FastTransferError(f"give one camera or video, not {len(names)}: {', '.join(names)}")
    source = names[0].removeprefix("camera").removeprefix(":") if names else ""
    is_word = source.isdecimal() or source in ("browser", "pattern")
    if source and not (is_word or exists(expand_user(source))):
        raise FastTransferError(
            f"there is no video '{source}'; give the number of a camera, a video file, browser, or "
            "pattern"
        )
    camera = f"camera:{source}" if source else "camera"
    main(request(PROGRAM, _with_styles(line), {"input": camera}, ["task=live"]))


@click.command(
    "compare",
    cls=Verb,
    short_help="Compare styles side by side, with scores.",
    epilog="""\
Examples:
  fasttransfer compare mosaic udnie
  fasttransfer compare runs/a runs/b mine.safetensors --input photos/ -o runs/compare
""",
)
@click.argument("styles", nargs=-1, type=PATH, shell_complete=complete_styles)
@setting(
    *("-i", "--input"),
    key="input",
    type=PATH,
    multiple=True,
    help="Photos and clips; may be repeated.  [default: bundled photos]",
)
@setting(*("-o", "--output"), key="log_dir", type=PATH, help="Folder for the page (runs/compare).")
@SIZE
@setting(
    "--painting",
    key="comparison.style",
    type=PATH,
    help="The painting, for styles that come without it.",
)
@setting(
    "--slow",
    key="comparison.limit",
    type=WHOLE,
    metavar="N",
    help="Also N iterations of the slow method.",
)
@ENGINES
@settings_of("infer")
@click.pass_context
def compare(ctx: click.Context, /, styles: tuple[str, ...], **_: Any) -> None:
    """Compares STYLES on the same photos and clips: as one page, in TensorBoard, and as JSON."""
    from ..core.values import as_list
    from .infer import PROGRAM, main
    from .request import request, sort_words

    names, line = sort_words(PROGRAM, line_of(ctx, styles))
    names = [name for text in names for name in as_list(text)]
    if not names:
        raise FastTransferError(
            "give at least one style, such as fasttransfer compare mosaic udnie"
        )
    if "input" in line.options:
        line.options["input"] = [name for text in line.options["input"] for name in as_list(text)]
    main(request(PROGRAM, line, {"style": names}, ["task=compare"]))


@click.command("styles", cls=Verb, short_help="List the bundled styles.")
def styles() -> None:
    """Lists the bundled styles: network, scores, size, and style image."""
    from rich.console import Console

    from ..zoo.gallery import cards, print_cards

    print_cards(cards(), Console())


def _with_styles(line: Any) -> Any:
    """The line with ``--style A,B`` as a list."""
    from ..core.values import as_list

    if "style" in line.options:
        line.options["style"] = as_list(line.options["style"])
    return line


def _file(name: str) -> str:
    """A file, also one with a name that means a camera elsewhere."""
    if name.partition(":")[0] != "camera":
        return name
    if exists(name):
        return f"./{name}"
    raise FastTransferError(f"{name} is no file; for a camera, write fasttransfer live")
