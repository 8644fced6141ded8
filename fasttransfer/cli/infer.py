"""Stylizes pictures and videos: source → stylizer → sink.

``python infer.py --help`` says what to type.
"""

import sys
from typing import TYPE_CHECKING

from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.console import Console

from ..core.assets import CONF_DIR
from ..core.errors import FastTransferError
from ..core.progress import Report
from ..core.values import as_list
from ..live.run import is_camera
from ..pipeline.runner import stylize_all
from .config import command
from .program import Program

if TYPE_CHECKING:  # torch is loaded when the first object is built, so --help answers at once
    from ..stylizing.stylizer import Stylizer

_OF_NETWORKS = ("stroke_size", "tiles", "engine", "precision")
_SEVERAL = ("style", "style.path", "input")

# A folder of its own: in conf/ itself, style= would mean the group conf/style of the training.
PROGRAM = Program(
    "infer",
    CONF_DIR / "infer",
    texts=(*_SEVERAL, "output", "log_dir", "comparison.style", "stylizer.intermediate"),
    lists=_SEVERAL,
    argument="input",
)


@command(PROGRAM)
def main(config: DictConfig) -> None:
    """Does what ``config`` says; exit code 1 if a file could not be done."""
    if config.list:
        from ..zoo.gallery import cards, print_cards

        print_cards(cards(), Console())
        return
    styles, inputs = _styles(config), as_list(config.input)
    camera = any(is_camera(name) for name in inputs)
    _check_places(config, other=config.export or config.compare or config.volume or camera)
    if config.export:
        _export(styles, config)
    elif config.compare:
        _compare(styles, inputs, config)
    elif camera:
        _live(styles, inputs, config)
    elif config.volume:
        _volumes(styles, inputs, config)
    else:
        _files(styles, inputs, config)


def _files(styles: list[str], inputs: list[str], config: DictConfig) -> None:
    """Pictures and videos into others, in this process or in batches."""
    report = Report()
    stylizers = _stylizers(styles, config)
    plan, open_media = instantiate(config.planning), instantiate(config.media)
    several = len(stylizers) > 1
    # All plans, sources and sinks first: what cannot work is told before anything is written.
    plans = [plan(inputs, config.output, stylizer.name, several) for stylizer in stylizers]
    if config.cluster or _any_remote(config):
        stylize_in_batches = instantiate(config.ray)
        # What actors stylize and read with is made where they are.
        make_stylizer = instantiate(config.stylizer)
        for style, stylizer, jobs in zip(styles, stylizers, plans, strict=True):
            make = make_stylizer if config.cluster else lambda _, one=stylizer: one
            stylize_in_batches(jobs, style, make, open_media, report)
    else:
        media = [
            open_media(jobs, stylizer.bytes_per_pixel, report)
            for jobs, stylizer in zip(plans, stylizers, strict=True)
        ]
        for stylizer, pairs in zip(stylizers, media, strict=True):
            for source, sink in pairs:
                stylize_all(source, stylizer, sink, report)
    _end(report)


def _volumes(styles: list[str], inputs: list[str], config: DictConfig) -> None:
    report = Report()
    stylizers = _stylizers(styles, config)
    instantiate(config.volumes)(inputs, config.output, stylizers, report)
    _end(report)


def _end(report: Report) -> None:
    report.print_summary()
    if report.failures or report.damages:
        sys.exit(1)


def _check_places(config: DictConfig, other: bool) -> None:
    """What is ``other`` than pictures and videos that become others is done here, as a whole."""
    if other and _any_remote(config):
        raise FastTransferError(
            "URLs are for pictures and videos that become others; use files of this machine with "
            "export=, compare=, volume= and a camera"
        )
    if other and (config.cluster or (config.shard and not config.volume)):
        raise FastTransferError(
            f"{'cluster' if config.cluster else 'shard'}= is for pictures and videos that become "
            "others; leave it out with export=, compare=, volume= and a camera"
        )


def _any_remote(config: DictConfig) -> bool:
    from ..core.files import is_remote

    return any(is_remote(name) for name in (*as_list(config.input), config.output or ""))


def _styles(config: DictConfig) -> list[str]:
    """What ``style=`` names or, with ``stylizer=optimize``, ``style.path=``."""
    if not config.stylizer._target_.endswith(".OptimizingStylizer"):
        return as_list(config.style)
    if not isinstance(config.style, DictConfig):
        raise FastTransferError(
            "stylizer=optimize needs a painting and no trained style; write style.path=painting.jpg, or "
            "the name of a drawn style image, such as style.path=mosaic"
        )
    if ignored := [name for name in _OF_NETWORKS if config[name] not in (None, "auto", "off")]:
        raise FastTransferError(
            f"{ignored[0]}= is for networks, and stylizer=optimize has none; leave it out "
            "(style.size= sets how large strokes are)"
        )
    if config.export or config.compare or any(is_camera(name) for name in as_list(config.input)):
        raise FastTransferError(
            "stylizer=optimize trains nothing and takes minutes a picture, so it does pictures and "
            "videos only: leave out export=, compare= and camera"
        )
    return as_list(config.style.path)


def _export(styles: list[str], config: DictConfig) -> None:
    from ..models.style_file import find_style, load_style

    export = instantiate(config.exporting)
    for style in styles:
        print(f"wrote {export(load_style(find_style(style)), config.output)}", file=sys.stderr)


def _stylizers(styles: list[str], config: DictConfig) -> "list[Stylizer]":
    stylizers = [instantiate(config.stylizer)(style) for style in styles]
    names = [stylizer.name for stylizer in stylizers]
    if len(set(names)) < len(names):
        raise FastTransferError(f"style= has two styles of one name: {', '.join(sorted(names))}")
    return stylizers


def _live(styles: list[str], inputs: list[str], config: DictConfig) -> None:
    # The camera's pictures are made as small as size= before the network gets them, not after.
    live = instantiate(config.live, **({} if config.size is None else {"size": config.size}))
    config.size = None
    live(_stylizers(styles, config), inputs, config.output)


def _compare(styles: list[str], inputs: list[str], config: DictConfig) -> None:
    from ..core.assets import BUNDLED_PHOTOS
    from ..models.style_file import find_style
    from ..pipeline.planning import find_media

    if config.size is not None:  # the photos are made as small before, and not their pictures after
        config.comparison.sizes, config.size = [config.size], None
    compare = instantiate(config.comparison)  # with the loss network, which stylizing does not need
    paths = [find_style(style) for style in styles]
    inputs = inputs or ["bundled-probe"]
    places = [str(BUNDLED_PHOTOS.get(name, name)) for name in inputs]
    compare(paths, *find_media(places), instantiate(config.stylizer))
