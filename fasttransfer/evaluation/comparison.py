"""Several style files or checkpoints over the same photos and clips: scored, timed, side by side.

What comes of it is told on the terminal and lies in a folder: TensorBoard's logs, ``evaluation.json``,
and ``index.html``, a page that needs nothing else.
"""

import json
import math
from collections.abc import Callable, Sequence
from itertools import tee
from pathlib import Path
from statistics import fmean

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from ..core.errors import FastTransferError
from ..core.files import fresh_folder, write_whole
from ..core.hardware import pick_device
from ..core.paths import expand_user
from ..images.contact_sheets import captioned, side_by_side
from ..models.style_file import LAST_CHECKPOINT, STYLE_FILE
from ..models.vgg import LEAST_SIDE, VGG16Features
from ..stylizing.stylizer import Stylizer
from ..video.settings import VideoSettings
from .flicker import measure_flicker
from .page import Column, ComparedPhoto, ComparisonReport, write_page
from .photos_and_clips import Player, different, read_clips, read_photos, to_photo
from .scores import Scores, mean_scores
from .slow_baseline import SlowBaseline
from .slow_method import STARTS
from .style_evaluator import StyleEvaluator


def _iterations(objective: str) -> list[Column]:
    return [
        Column(
            f"{objective}_iterations_{start}",
            f"from {start}" if objective == "balanced" else f"from {start}, {objective}",
            f"iterations of the slow method from {start} to the same {objective} objective",
            more_is_better=True,
        )
        for start in STARTS
    ]


COLUMNS = [  # of the table and the page; TensorBoard and the JSON file get all
    Column("balanced_total", "objective", "what is trained for, balanced"),
    Column("balanced_content", "content", "relative difference at relu3_3"),
    Column("balanced_style", "style", "relative difference of the Gram matrices, 0 to 1"),
    Column("johnson_total", "johnson", "objective of jcjohnson/fast-neural-style"),
    *(
        Column(f"balanced_style_{layer}", layer, f"the style term at {layer}")
        for layer in ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
    ),
    Column("balanced_times_limit", "× limit", "objective, over that of the slow method from noise"),
    *_iterations("balanced"),
    Column("johnson_times_limit", "× limit, johnson", "the same for johnson's objective"),
    *_iterations("johnson"),
    Column(
        "checkerboard", "checkerboard", "peak of period 2 or 4, over the photo's own: 1 is none"
    ),
    Column("balanced_fine", "fine", "dots and checks finer than the style image has: 0 is none"),
    Column("droplets", "droplets", "share of the picture that is spots in flat areas"),
    Column("border_contrast", "border", "how much the border differs from what is beside it"),
    Column("milliseconds", "ms", "milliseconds a picture"),
    Column("flicker", "flicker", "excess warping error of clips, in levels of 255"),
]
JSON_FILE = "evaluation.json"
PAGE_FILE = "index.html"


def compare(
    styles: Sequence[Path],
    photos: Sequence[Path],
    clips: Sequence[Path],
    make_stylizer: Callable[..., Stylizer],
    log_dir: str,
    sizes: Sequence[int],
    limit: int,
    style: str | None,
    clip_frames: int | None,
    max_pixels: int,
    weights: str,
    device: str,
    video: VideoSettings,
) -> dict[str, Scores]:
    """Stylizes each photo in each style and writes pictures, scores and times; of each clip the first
    frame is such a photo, and the flicker is measured.

    Args:
        styles: style files or Lightning checkpoints.
        photos: picture files.
        clips: video files.
        make_stylizer: makes a ``Stylizer`` of a style.
        log_dir: the folder, also TensorBoard's; every style gets one of its own in it.
        sizes: longer sides in pixels at which all are stylized and scored, one after another.
        limit: iterations of the slow method that the results are compared with; 0 for none.
        style: the style image of those styles that have none with them, or None.
        clip_frames: how many of a clip are looked at, from its start; None for all.
        max_pixels: larger photos and frames are refused.
        weights: of the loss network, see ``VGG16Features``.
        device: of the loss network, see ``pick_device``.
        video: how clips are decoded.

    Returns:
        For each style its mean scores, of which those of style need its style image, milliseconds a
        photo, and the mean excess ``flicker`` of the clips in 8-bit levels, see ``flicker``; with
        several sizes for each style and size.
    """
    check_settings(sizes, limit, clip_frames)
    console = Console(highlight=False, soft_wrap=True)
    features = VGG16Features(weights).to(pick_device(device))
    limits: dict[tuple[str, str], SlowBaseline] = {}
    judges = {
        label: StyleEvaluator(path, make_stylizer, style, features, limit, limits, console)
        for label, path in zip(labels(styles), styles, strict=True)
    }
    means: dict[str, Scores] = {}
    compared: list[ComparedPhoto] = []
    folder: Path | None = None
    for size in sizes:
        contents = read_photos(photos, size, max_pixels, console)
        players = read_clips(clips, size, clip_frames, max_pixels, video, console)
        contents |= {name: to_photo(next(play())) for name, play in players.items()}
        if not contents or not styles:
            raise FastTransferError(
                "compare=true needs one style and one photo or video at least; give both."
            )
        # In one folder TensorBoard would mix two comparisons.
        folder = folder or fresh_folder(expand_user(log_dir))
        suffix = f" at {size}" if len(sizes) > 1 else ""
        rows: dict[str, dict[str, Scores]] = {}
        pictures: dict[str, dict[str, Tensor]] = {}
        for label, judge in judges.items():
            version = label + suffix
            rows[version], pictures[version] = judge.photos(contents)
            means[version] = mean_scores(rows[version].values())
            log = different(version.replace(" ", "-"), [path.name for path in folder.glob("*")])
            with SummaryWriter(str(folder / log)) as writer:
                means[version] |= log_flicker(players, judge.stylizer, writer, console)
                log_scores(writer, label, size, judge.steps, rows[version], means[version])
        compared += [
            ComparedPhoto(
                name + suffix,
                content,
                {version: pictures[version][name] for version in rows},
                {version: rows[version][name] for version in rows},
            )
            for name, content in contents.items()
        ]
    assert folder is not None
    write_files(folder, means, compared)
    log_pictures(folder, compared)
    print_means(means, folder, console)
    return means


def check_settings(sizes: Sequence[int], limit: int, clip_frames: int | None) -> None:
    """Raises FastTransferError for what ``compare`` cannot work with."""

    def whole(number: object, least: int) -> bool:
        return isinstance(number, int) and number >= least

    if not sizes or not all(whole(size, LEAST_SIDE) for size in sizes):
        raise FastTransferError(
            f"comparison.sizes={list(sizes)} must be longer sides in whole pixels from {LEAST_SIDE} "
            "on, such as [256,512]."
        )
    if len({*sizes}) < len(sizes):
        raise FastTransferError(f"comparison.sizes={list(sizes)} has a size twice; write it once.")
    if not whole(limit, 0):
        raise FastTransferError(
            f"comparison.limit={limit} must be a number of iterations, or 0 for none."
        )
    if clip_frames is not None and not whole(clip_frames, 1):
        raise FastTransferError(
            f"comparison.clip_frames={clip_frames} must be a whole number from 1 on, or null for all."
        )


def log_scores(
    writer: SummaryWriter,
    label: str,
    size: int,
    steps: int,
    rows: dict[str, Scores],
    means: Scores,
) -> None:
    """The scores of each photo as scalars, and the means beside the style for the HParams tab."""
    for number, row in enumerate(rows.values()):
        for key, value in row.items():
            writer.add_scalar(f"compare/{key}", value, number)
    writer.add_hparams(
        {"style": label, "size": size, "steps": steps},
        {f"compare/mean_{key}": value for key, value in means.items()},
        run_name=".",
    )


def log_pictures(folder: Path, photos: Sequence[ComparedPhoto]) -> None:
    """For each photo one image: itself and every style's."""
    with SummaryWriter(str(folder)) as writer:
        for photo in photos:
            row = [captioned(photo.content, "photo")]
            row += [captioned(picture, name) for name, picture in photo.stylized.items()]
            name = photo.name.encode("utf-8", "replace").decode()  # file names may be any bytes
            writer.add_image(f"compare/{name}", side_by_side(row))


def write_files(folder: Path, means: dict[str, Scores], photos: Sequence[ComparedPhoto]) -> None:
    """``evaluation.json`` (infinity is null there) and ``index.html``."""

    def plain(scores: Scores) -> dict[str, float | None]:
        return {key: value if math.isfinite(value) else None for key, value in scores.items()}

    figures = {
        "means": {name: plain(scores) for name, scores in means.items()},
        "photos": {
            photo.name: {name: plain(dict(scores)) for name, scores in photo.scores.items()}
            for photo in photos
        },
    }
    text = json.dumps(figures, indent=1).encode()
    write_whole(folder / JSON_FILE, lambda file: file.write(text))
    report = ComparisonReport("Styles compared", known_columns(means), means, photos)
    write_page(folder / PAGE_FILE, report)


def known_columns(means: dict[str, Scores]) -> list[Column]:
    """Those of which any style has the score."""
    return [c for c in COLUMNS if any(c.key in scores for scores in means.values())]


def log_flicker(
    players: dict[str, Player], stylizer: Stylizer, writer: SummaryWriter, console: Console
) -> Scores:
    """Measures the flicker of each clip, writes it to TensorBoard, and returns the mean excess; a
    clip that cannot be measured is told and left out."""
    excesses = []
    for number, (name, play) in enumerate(players.items()):
        contents, frames = tee(play())
        try:
            [flicker] = measure_flicker(contents, [map(stylizer.frame, frames)])
        except FastTransferError as error:
            console.print(f"no flicker of {name}: {error}", markup=False)
            continue
        writer.add_scalar("compare/flicker", flicker.excess, number)
        writer.add_scalar("compare/warping_error_of_input", flicker.content, number)
        excesses.append(flicker.excess)
    return {"flicker": fmean(excesses)} if excesses else {}


def labels(styles: Sequence[Path]) -> list[str]:
    """A short, different name for every path: of its run folder, or of the file."""
    names: list[str] = []
    for path in styles:
        folder = path.parent.parent if path.name == LAST_CHECKPOINT.name else path.parent
        name = (
            folder.resolve().name if path.name in (STYLE_FILE, LAST_CHECKPOINT.name) else path.stem
        )
        names.append(different(name, names))
    return names


def print_means(means: dict[str, Scores], folder: Path, console: Console) -> None:
    """A table on the terminal, and how to see the pictures."""
    columns = known_columns(means)
    rows = [
        [escape(label), *(written(scores.get(column.key, math.nan)) for column in columns)]
        for label, scores in means.items()
    ]
    cells = [["style", *(column.label for column in columns)], *rows]
    if len(means) < len(columns):  # a terminal is higher than wide, in letters
        cells = [list(column) for column in zip(*cells, strict=True)]
    table = Table(*cells[0])
    for row in cells[1:]:
        table.add_row(*row)
    console.print(table, soft_wrap=False)
    console.print(f"see them with: tensorboard --logdir {folder}", markup=False)
    console.print(f"or open {folder / PAGE_FILE}", markup=False)


def written(score: float) -> str:
    """Three digits; ``-`` for what is not known, ``never`` for iterations that do not get there."""
    if math.isnan(score):
        return "-"
    return f"{score:.3g}" if math.isfinite(score) else "never"
