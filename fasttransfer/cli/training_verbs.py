"""The verbs that train: train, evaluate, search, shards, zoo."""

from typing import Any

import click
from click.shell_completion import CompletionItem

from ..core.assets import STYLE_IMAGES, config_names
from ..core.errors import FastTransferError
from ..core.paths import exists, expand_user
from .options import NUMBER, PATH, WHOLE, Verb, Words, line_of, setting, settings_of


def _complete_paintings(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    names = [name for name in _style_images() if name.startswith(incomplete)] if incomplete else []
    return [*map(CompletionItem, names), CompletionItem(incomplete, type="file")]


def _style_images() -> list[str]:
    return sorted(path.stem for path in STYLE_IMAGES.iterdir() if path.suffix != ".md")


@click.command(
    "train",
    cls=Verb,
    short_help="Train a style on one painting.",
    epilog="""\
Examples:
  fasttransfer train painting.jpg --photos photos/ --budget 5m
  fasttransfer train oil                              a bundled style image
  fasttransfer train painting.jpg --strength 2        more of the painting
  fasttransfer train painting.jpg --video             flickers less in videos
  fasttransfer train --resume runs/painting-20261122-150000

Any setting that --settings lists may follow as key=value, such as optimizer.lr=2e-3 or
experiment=johnson2016. Several runs at once: python train.py -m, see the documentation.
""",
)
@click.argument(
    "words", metavar="[PAINTING]", nargs=-1, type=PATH, shell_complete=_complete_paintings
)
@setting(
    "--photos",
    key="data.root",
    type=PATH,
    help="A folder of photos, or of shards.  [default: bundled]",
)
@setting("--budget", key="budget", help="Time for training: 1m, 5m, 1h; or full (5m).")
@setting("--steps", key="trainer.max_steps", type=WHOLE, help="So many steps instead of a time.")
@setting("--name", key="style.name", help="Of the style.  [default: that of the file]")
@setting(
    "--strength", key="style.strength", type=NUMBER, help="2 is twice as much of the painting (1)."
)
@setting(
    "--style-size",
    key="style.size",
    type=WHOLE,
    help="Longer side of the painting in pixels; sets the size of strokes (512).",
)
@click.option(
    "--network", type=Words(config_names("network")), help="The network to train (default)."
)
@click.option("--video", is_flag=True, help="A style that flickers less in videos.")
@setting(
    "--start",
    key="start",
    help="base, nearest, a trained style, or null: random weights (base).",
)
@setting("--batch-size", key="data.batch_size", type=WHOLE, help="Photos in each step (1).")
@setting("--seed", key="seed", type=WHOLE, help="Of all random numbers (0).")
@setting(
    "--device",
    key="trainer.accelerator",
    type=Words(["auto", "cpu", "gpu", "cuda", "mps"]),
    help="Where to train (auto).",
)
@setting(
    *("-o", "--run-dir"),
    key="run_dir",
    type=PATH,
    help="A new folder for the results.  [default: runs/STYLE-DATE]",
)
@setting("--resume", key="resume", type=PATH, metavar="RUN", help="Continue a run that stopped.")
@settings_of("train")
@click.pass_context
def train(
    ctx: click.Context, /, words: tuple[str, ...], network: str | None, video: bool, **_: Any
) -> None:
    """Trains a network for PAINTING: a picture file, or a bundled style image."""
    from .request import request, sort_words
    from .train import PROGRAM, main

    typed = line_of(ctx, words)
    chosen = _choices(network, video, typed.options.get("data.root"))
    names, line = sort_words(PROGRAM, typed, chosen)
    if len(names) > 1:
        raise FastTransferError(f"give one painting, not {len(names)}: {', '.join(names)}")
    styled = any(word.startswith(("style=", "style.path=")) for word in line.words)
    if not (names or styled or "resume" in line.options):
        raise FastTransferError(
            "give a painting: a picture file, or one of the bundled style images "
            f"({', '.join(_style_images())})"
        )
    if line.options.get("start") == "null":
        line.options["start"] = None
    if line.options.get("trainer.accelerator") == "cuda":
        line.options["trainer.accelerator"] = "gpu"
    if "trainer.max_steps" in line.options:
        line.options.setdefault("budget", "full")
    main(request(PROGRAM, line, {"style.path": names[0]} if names else {}, chosen))


def _choices(network: str | None, video: bool, photos: str | None) -> list[str]:
    """The YAML files that options choose."""
    chosen = [f"network={network}"] if network else []
    chosen += ["experiment=video"] if video else []
    if photos:
        from ..data.shard_files import INDEX  # with PyTorch, which training loads anyway

        chosen += ["data=shards"] if exists(expand_user(photos) / INDEX) else []
    return chosen


@click.command(
    "evaluate",
    cls=Verb,
    short_help="Train on several paintings, and score the results.",
    epilog="""\
Examples:
  fasttransfer evaluate a.jpg b.jpg --photos photos/ --budget 5m -o results/
  fasttransfer evaluate mosaic oil --input test/ --count 20 training=network=realtime
""",
)
@click.argument("words", metavar="PAINTING...", nargs=-1, type=PATH)
@setting("--photos", key="photos", type=PATH, help="A folder of photos to train with.")
@setting(
    *("-i", "--input"),
    key="input",
    type=PATH,
    help="A folder of photos to stylize and score.  [default: bundled]",
)
@setting("--count", key="count", type=WHOLE, help="So many of them (20).")
@setting("--size", key="size", type=WHOLE, help="Their longer side in pixels (512).")
@setting("--budget", key="budget", help="Time for each training (5m).")
@setting("--steps", key="steps", type=WHOLE, help="So many steps instead of a time.")
@setting(
    *("-o", "--output"), key="output", type=PATH, help="Folder for the results (runs/evaluate)."
)
@setting("--lpips", key="lpips", type=PATH, help="AlexNet's weights, for LPIPS.")
@setting("--artfid", key="artfid", type=PATH, help="art_inception.pth, for ArtFID.")
@settings_of("evaluate")
@click.pass_context
def evaluate(ctx: click.Context, /, words: tuple[str, ...], **_: Any) -> None:
    """Runs a paper's protocol: trains on each PAINTING, stylizes photos, and scores the pictures."""
    from ..core.values import as_list
    from .evaluate import PROGRAM, main
    from .request import request, sort_words

    names, line = sort_words(PROGRAM, line_of(ctx, words))
    paintings = [name for text in names for name in as_list(text)]
    main(request(PROGRAM, line, {"paintings": paintings} if paintings else {}))


@click.command(
    "search",
    cls=Verb,
    short_help="Search for better training settings.",
    epilog="""\
Examples:
  fasttransfer search --study runs/search --trials 20
  fasttransfer search 'space=[{name: optimizer.lr, low: 1e-4, high: 1e-2, log: true}]'
  fasttransfer search --steps 1000 overrides=style=woodcut,network=realtime
""",
)
@click.argument("words", metavar="[KEY=VALUE]...", nargs=-1)
@setting(
    "--study", key="study", type=PATH, help="A folder; an existing study continues (runs/tune)."
)
@setting("--trials", key="trials", type=WHOLE, help="Trials in total (20).")
@setting("--steps", key="steps", type=WHOLE, help="Steps of each run (400).")
@setting("--objective", key="objective", help="A held-out score; smaller is better.")
@settings_of("search")
@click.pass_context
def search(ctx: click.Context, /, words: tuple[str, ...], **_: Any) -> None:
    """Searches for the training settings with the best held-out score, with Optuna."""
    from .request import request, sort_words
    from .search import PROGRAM, main

    names, line = sort_words(PROGRAM, line_of(ctx, words))
    _no_names(names)
    main(request(PROGRAM, line, {}))


@click.command(
    "shards",
    cls=Verb,
    short_help="Pack training photos into tar files.",
    epilog="""\
Examples:
  fasttransfer shards photos/ -o shards/
  fasttransfer train painting.jpg --photos shards/
""",
)
@click.argument("words", metavar="PHOTOS", nargs=-1, type=PATH)
@setting(*("-o", "--output"), key="output", type=PATH, help="A new folder for the shards.")
@setting("--size", key="size", type=WHOLE, help="Shorter side of the photos in pixels (512).")
@setting("--min-side", key="min_side", type=WHOLE, help="Smaller photos are skipped (64).")
@setting("--per-shard", key="per_shard", type=WHOLE, help="Photos in each file (1000).")
@setting("--quality", key="quality", type=WHOLE, help="Of the JPEGs, 1 to 100 (92).")
@click.pass_context
def shards(ctx: click.Context, /, words: tuple[str, ...], **_: Any) -> None:
    """Packs a folder of PHOTOS into tar files, for training on many machines."""
    from .request import request, sort_words
    from .shards import PROGRAM, main

    names, line = sort_words(PROGRAM, line_of(ctx, words))
    if len(names) > 1:
        raise FastTransferError(f"give one folder of photos, not {len(names)}: {', '.join(names)}")
    main(request(PROGRAM, line, {"photos": names[0]} if names else {}))


@click.command(
    "zoo",
    cls=Verb,
    short_help="Train the bundled styles.",
    epilog="""\
Examples:
  fasttransfer zoo --paintings FOLDER
  fasttransfer zoo --paintings FOLDER --only udnie networks=realtime steps=2000
""",
)
@click.argument("words", metavar="[KEY=VALUE]...", nargs=-1)
@setting("--paintings", key="paintings", type=PATH, help="A folder of the files in conf/zoo.")
@setting("--photos", key="photos", type=PATH, help="A folder of photos.  [default: bundled]")
@setting("--only", key="only", help="Names of styles: A,B,C.  [default: all]")
@setting("-o", "--output", key="output", type=PATH, help="A folder for the style files.")
@setting("--steps", key="steps", type=WHOLE, help="Steps for each style (700).")
@settings_of("zoo")
@click.pass_context
def zoo(ctx: click.Context, /, words: tuple[str, ...], **_: Any) -> None:
    """Trains the bundled styles, one after another, and writes their cards.

    Any setting of conf/zoo may follow as key=value.
    """
    from ..core.values import as_list
    from .request import request, sort_words
    from .zoo import PROGRAM, main

    names, line = sort_words(PROGRAM, line_of(ctx, words))
    _no_names(names)
    if "only" in line.options:
        line.options["only"] = as_list(line.options["only"])
    main(request(PROGRAM, line, {}))


def _no_names(names: list[str]) -> None:
    if names:
        raise FastTransferError(f"{names[0]} is not of the form key=value")
