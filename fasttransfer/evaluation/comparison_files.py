"""What a comparison writes and prints: TensorBoard's logs, a JSON file, the page, and a table."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from torch.utils.tensorboard import SummaryWriter

from ..core.errors import shown_name
from ..core.files import write_whole
from ..images.contact_sheets import captioned, side_by_side
from .columns import as_text, known_columns
from .page import ComparedPhoto, ComparisonReport, write_page
from .scores import Scores

JSON_FILE = "evaluation.json"
PAGE_FILE = "index.html"


def log_scores(
    writer: SummaryWriter,
    hparams: Mapping[str, str | int],
    photos: Mapping[str, Scores],
    means: Scores,
    steps: int,
) -> None:
    """The means as scalars and for the HParams tab, and the scores of each photo below its name.

    Args:
        writer: of the style's folder.
        hparams: what distinguishes the style.
        photos: scores by photo.
        means: over all photos.
        steps: that the style was trained for, TensorBoard's horizontal axis.
    """
    for photo, scores in photos.items():
        for key, value in scores.items():
            writer.add_scalar(f"photos/{printable(photo)}/{key}", value, steps)
    named = {f"compare/{key}": value for key, value in means.items()}
    writer.add_hparams(dict(hparams), named, run_name=".", global_step=steps)


def log_curves(folder: Path, curves: Mapping[str, Mapping[int, Scores]]) -> None:
    """The mean scores of runs over their steps, a curve for each run that was compared at several.

    Args:
        folder: of the comparison.
        curves: by run, mean scores by step.
    """
    for run, points in curves.items():
        if len(points) > 1:
            with SummaryWriter(str(folder / run)) as writer:
                for step, means in sorted(points.items()):
                    for key, value in means.items():
                        writer.add_scalar(f"steps/{key}", value, step)


def printable(name: str) -> str:
    """A photo's name as TensorBoard can store it: file names may be any bytes."""
    return name.encode("utf-8", "replace").decode()


def log_pictures(folder: Path, photos: Sequence[ComparedPhoto]) -> None:
    """For each photo one image: the photo and every style's picture of it."""
    with SummaryWriter(str(folder)) as writer:
        for photo in photos:
            row = [captioned(photo.content, "photo")]
            row += [captioned(picture, name) for name, picture in photo.stylized.items()]
            writer.add_image(f"compare/{printable(photo.name)}", side_by_side(row))


def write_files(folder: Path, means: Mapping[str, Scores], photos: Sequence[ComparedPhoto]) -> None:
    """``evaluation.json`` (infinity is null there) and ``index.html``."""

    def plain(scores: Mapping[str, float]) -> dict[str, float | None]:
        return {key: value if math.isfinite(value) else None for key, value in scores.items()}

    scores = {
        "means": {name: plain(row) for name, row in means.items()},
        "photos": {
            photo.name: {name: plain(row) for name, row in photo.scores.items()} for photo in photos
        },
    }
    text = json.dumps(scores, indent=1).encode()
    write_whole(folder / JSON_FILE, lambda file: file.write(text))
    report = ComparisonReport("Styles compared", known_columns(means), means, photos)
    write_page(folder / PAGE_FILE, report)


def print_means(means: Mapping[str, Scores], folder: Path, console: Console) -> None:
    """A table on the terminal, and where the pictures are."""
    columns = known_columns(means)
    rows = [
        [
            escape(shown_name(label)),
            *(as_text(scores.get(column.key, math.nan)) for column in columns),
        ]
        for label, scores in means.items()
    ]
    cells = [["style", *(column.label for column in columns)], *rows]
    if len(means) < len(columns):  # a terminal has more lines than a line has columns
        cells = [list(column) for column in zip(*cells, strict=True)]
    table = Table(*cells[0])
    for row in cells[1:]:
        table.add_row(*row)
    console.print(table, soft_wrap=False)
    console.print(f"open {shown_name(folder / PAGE_FILE)}", markup=False)
    console.print(f"or run: tensorboard --logdir {shown_name(folder)}", markup=False)
