"""What ``infer.py`` can do, a function for each file in conf/infer/task."""

import shlex
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from ..core.assets import BUNDLED_PHOTOS
from ..core.errors import FastTransferError
from ..core.files import is_remote, shown
from ..core.progress import Report
from ..core.values import as_list
from ..pipeline.runner import stylize_all
from .styles import find_styles, is_slow, load_styles, make_stylizers, style_names

if TYPE_CHECKING:
    from ..stylizing.stylizer import Stylizer


def stylize_files(config: DictConfig) -> None:
    """Pictures and videos into others, in this process or in batches."""
    from ..pipeline.batches import stylize_in_batches
    from ..pipeline.media import open_media

    report, inputs = Report(), as_list(config.input)
    styles, stylizers = style_names(config), make_stylizers(config)
    plan, media = instantiate(config.planning), instantiate(config.media)
    batches = instantiate(config.ray)
    if media.mask.regions:
        styles, stylizers = styles[:1], [_beside(stylizers)]
        if config.cluster:
            raise FastTransferError("cluster= does not go with mask.regions=true; leave one out")
    if config.cluster:
        media = replace(media, mask=media.mask.anywhere())
    several = len(stylizers) > 1
    # All plans, sources, and sinks first: what cannot work is reported before anything is written.
    plans = [plan(inputs, config.output, one.name, several, report) for one in stylizers]
    if config.cluster or _any_remote(config):
        # What actors stylize and read with is made where they are.
        make = instantiate(config.stylizer)
        for style, stylizer, jobs in zip(styles, stylizers, plans, strict=True):
            own = make if config.cluster else lambda _, one=stylizer: one
            stylize_in_batches(
                jobs, style, own, partial(open_media, settings=media), batches, report
            )
    else:
        pairs = zip(plans, stylizers, strict=True)
        opened = [open_media(jobs, stylizer, media, report) for jobs, stylizer in pairs]
        for pipeline in (one for pipelines in opened for one in pipelines):
            stylize_all(pipeline, report)
    _end(report)


def stylize_volumes(config: DictConfig) -> None:
    """Stacks of slices into others."""
    from ..volumes.media import open_volumes, plan_volumes

    _only_here(config, "task=volume", parts=True)
    _without_mask(config, "task=volume")
    report, settings = Report(), instantiate(config.volumes)
    stylizers = make_stylizers(config)
    names = [stylizer.name for stylizer in stylizers]
    plans = plan_volumes(as_list(config.input), config.output, names, settings.shard, report.fail)
    pairs = zip(plans, stylizers, strict=True)
    for pipeline in [open_volumes(jobs, one, settings, report) for jobs, one in pairs]:
        stylize_all(pipeline, report)
    _end(report)


def show_camera(config: DictConfig) -> None:
    """A camera, stylized on a page in the browser, until Ctrl-C."""
    from ..live import run_live

    _only_here(config, "task=live")
    _only_networks(config, "task=live")
    # The camera's pictures are made as small as size= before the network gets them, not after.
    size = {} if config.size is None else {"size": config.size}
    session, server = instantiate(config.live_session, **size), instantiate(config.live_server)
    inputs = as_list(config.input) or ["camera"]
    run_live(make_stylizers(_without_size(config)), inputs, config.output, session, server)


def serve_styles(config: DictConfig) -> None:
    """Styles as a service, until Ctrl-C or SIGTERM."""
    from ..service import run_service

    _only_here(config, "task=serve")
    _without_mask(config, "task=serve")
    _only_networks(config, "task=serve")
    run_service(load_styles(config), instantiate(config.stylizer), instantiate(config.service))


def compare_styles(config: DictConfig) -> None:
    """Styles on the same photos and clips."""
    from ..evaluation.comparison import compare
    from ..pipeline.planning import find_media

    _only_here(config, "task=compare")
    _without_mask(config, "task=compare")
    _only_networks(config, "task=compare")
    # The photos are made as small as size= before, and not their pictures after.
    sizes = {} if config.size is None else {"sizes": [config.size]}
    settings = instantiate(config.comparison, **sizes, _convert_="all")
    places = [str(BUNDLED_PHOTOS.get(name, name)) for name in as_list(config.input)]
    photos, clips = find_media(places or [str(BUNDLED_PHOTOS["bundled-probe"])])
    make_stylizer = instantiate(_without_size(config).stylizer)
    compare(find_styles(config), photos, clips, make_stylizer, settings)


def export_styles(config: DictConfig) -> None:
    """Styles into files for other programs."""
    from ..models.style_file import load_style
    from ..stylizing.export import export_style

    _only_here(config, "task=export")
    _without_mask(config, "task=export")
    _only_networks(config, "task=export")
    if config.export == "web":
        _export_site(config)
        return
    settings = instantiate(config.exporting, format=config.export or "onnx")
    for path in find_styles(config):
        written = export_style(load_style(path), config.output, settings)
        print(f"wrote {shown(written.path)}: {written.facts}", file=sys.stderr)


def _export_site(config: DictConfig) -> None:
    """Styles as a folder with a page."""
    unfit = [name for name in ("size", "opset", "half", "layout", "range") if config[name]]
    unfit += ["precision"] * (config.precision not in ("auto", "float32"))
    if unfit:
        raise FastTransferError(
            f"{unfit[0]}={config[unfit[0]]} is for files of single styles; leave it out with export=web"
        )
    folder = instantiate(config.site)(make_stylizers(config), config.output)
    served = shlex.quote(str(folder))
    print(f"wrote {shown(folder)}; see it with python -m http.server -d {served}", file=sys.stderr)


def list_styles(config: DictConfig) -> None:
    """Prints the bundled styles."""
    from ..zoo.gallery import cards, print_cards

    print_cards(cards(), Console())


def _beside(stylizers: "list[Stylizer]") -> "Stylizer":
    if len(stylizers) != 2:
        raise FastTransferError(
            "mask.regions=true (--regions) takes two styles, such as --style mosaic,udnie, and not "
            f"{len(stylizers)}"
        )
    return stylizers[0].beside(stylizers[1])


def _end(report: Report) -> None:
    report.print_summary()
    if report.failures or report.damages:
        sys.exit(1)


def _without_size(config: DictConfig) -> DictConfig:
    without = OmegaConf.merge(config, {"size": None})
    assert isinstance(without, DictConfig)
    return without


def _any_remote(config: DictConfig) -> bool:
    return any(is_remote(name) for name in (*as_list(config.input), config.output or ""))


def _only_here(config: DictConfig, task: str, parts: bool = False) -> None:
    """Raises FastTransferError for what only pictures and videos have: stores, clusters and parts."""
    if _any_remote(config):
        raise FastTransferError(
            f"URLs are for pictures and videos that become others; use files of this machine with {task}"
        )
    if config.cluster or (config.shard and not parts):
        raise FastTransferError(
            f"{'cluster' if config.cluster else 'shard'}= is for pictures and videos that become "
            f"others; leave it out with {task}"
        )


def _without_mask(config: DictConfig, task: str) -> None:
    if instantiate(config.mask):
        name = "strength" if config.mask.path is None else "mask"
        raise FastTransferError(
            f"{name}={config.mask.path or config.mask.strength} is a mask, and masks are for pictures "
            f"and videos; leave it out with {task}"
        )


def _only_networks(config: DictConfig, task: str) -> None:
    if is_slow():
        raise FastTransferError(
            "stylizer=optimize trains nothing and takes minutes a picture, so it does pictures and "
            f"videos only: leave out {task}"
        )
