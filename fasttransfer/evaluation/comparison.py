"""Several styles on the same photos and clips: scored, timed, side by side.

The results are printed and lie in a folder: TensorBoard's logs, ``evaluation.json``, and
``index.html``, a page that is complete in itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import tee
from pathlib import Path
from statistics import fmean

from rich.console import Console
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from ..core.errors import FastTransferError
from ..core.files import fresh_folder
from ..core.hardware import pick_device
from ..core.paths import expand_user
from ..models.style_file import place_of
from ..models.vgg import VGG16Features
from ..stylizing.stylizer import Stylizer
from .comparison_files import (
    log_curves,
    log_pictures,
    log_scores,
    print_means,
    printable,
    write_files,
)
from .comparison_settings import ComparisonSettings
from .field_metrics import FieldMetrics
from .flicker import measure_flicker
from .page import ComparedPhoto
from .photos_and_clips import Player, Subjects, different, read_subjects
from .scores import Scores, mean_scores
from .slow_baseline import SlowBaselines
from .style_evaluator import StyleEvaluator


@dataclass(frozen=True)
class Results:
    """Of all styles at one size.

    Attributes:
        means: mean scores by version: the style, with the size where there are several.
        photos: each with the pictures and scores of all versions.
    """

    means: Mapping[str, Scores]
    photos: Sequence[ComparedPhoto]


def compare(
    styles: Sequence[Path],
    photos: Sequence[Path],
    clips: Sequence[Path],
    make_stylizer: Callable[..., Stylizer],
    settings: ComparisonSettings,
) -> dict[str, Scores]:
    """Stylizes each photo in each style, and writes pictures, scores, and times.

    The first frame of each clip is such a photo, and the flicker of the clip is measured.

    Args:
        styles: style files or Lightning checkpoints.
        photos: picture files.
        clips: video files.
        make_stylizer: makes a ``Stylizer`` of a style.
        settings: see there.

    Returns:
        For each style, or for each style and size where there are several, its mean scores (those of
        style require its style image), milliseconds per photo, and the mean excess ``flicker`` of the
        clips in 8-bit levels.

    Raises:
        FastTransferError: no style, or no photo or clip that can be read.
    """
    console = Console(highlight=False, soft_wrap=True)
    device = pick_device(settings.device)
    features = VGG16Features(settings.weights).to(device)
    metrics = FieldMetrics(settings.metrics, device)
    baselines = SlowBaselines(settings.limit, console) if settings.limit else None
    evaluators = {
        label: StyleEvaluator(
            path, make_stylizer, settings.style, features, baselines, metrics, console
        )
        for label, path in zip(labels(styles), styles, strict=True)
    }
    subjects = [read_subjects(photos, clips, size, settings, console) for size in settings.sizes]
    if not evaluators or not all(one.photos for one in subjects):
        raise FastTransferError(
            "a comparison requires at least one style and one photo or video that can be read"
        )
    # In one folder TensorBoard would mix two comparisons.
    folder = fresh_folder(expand_user(settings.log_dir))
    results = [
        _at_size(one, evaluators, folder, f" at {one.size}" if len(subjects) > 1 else "", console)
        for one in subjects
    ]
    means = {version: scores for one in results for version, scores in one.means.items()}
    compared = [photo for one in results for photo in one.photos]
    write_files(folder, means, compared)
    log_pictures(folder, compared)
    print_means(means, folder, console)
    return means


def _at_size(
    subjects: Subjects,
    evaluators: Mapping[str, StyleEvaluator],
    folder: Path,
    suffix: str,
    console: Console,
) -> Results:
    rows: dict[str, dict[str, Scores]] = {}
    pictures: dict[str, dict[str, Tensor]] = {}
    means: dict[str, Scores] = {}
    for label, evaluator in evaluators.items():
        version = label + suffix
        rows[version], pictures[version] = evaluator.photos(subjects.photos)
        log = different(version.replace(" ", "-"), [path.name for path in folder.glob("*")])
        with SummaryWriter(str(folder / log)) as writer:
            flicker = log_flicker(subjects.clips, evaluator, writer, console)
            means[version] = mean_scores(rows[version].values()) | flicker
            hparams: dict[str, str | int] = {"style": label, "steps": evaluator.steps}
            hparams |= {"size": subjects.size} if suffix else {}
            log_scores(writer, hparams, rows[version], means[version], evaluator.steps)
    log_curves(folder, _curves(evaluators, means, suffix))
    compared = [
        ComparedPhoto(
            name + suffix,
            content,
            {version: pictures[version][name] for version in rows},
            {version: rows[version][name] for version in rows},
        )
        for name, content in subjects.photos.items()
    ]
    return Results(means, compared)


def _curves(
    evaluators: Mapping[str, StyleEvaluator], means: Mapping[str, Scores], suffix: str
) -> dict[str, dict[int, Scores]]:
    """Mean scores by step of each run of which there are styles."""
    curves: dict[str, dict[int, Scores]] = {}
    for label, evaluator in evaluators.items():
        if evaluator.run is not None:
            points = curves.setdefault(f"{evaluator.run.name}{suffix}".replace(" ", "-"), {})
            points[evaluator.steps] = means[label + suffix]
    return curves


def log_flicker(
    players: Mapping[str, Player],
    evaluator: StyleEvaluator,
    writer: SummaryWriter,
    console: Console,
) -> Scores:
    """Measures the flicker of each clip, writes it to TensorBoard, and returns the mean excess.

    A clip that cannot be measured is reported and left out.
    """
    excesses = []
    for name, play in players.items():
        contents, frames = tee(play())
        try:
            [flicker] = measure_flicker(contents, [map(evaluator.stylizer.frame, frames)])
        except FastTransferError as error:
            console.print(f"no flicker of {name}: {error}", markup=False)
            continue
        clip = f"clips/{printable(name)}"
        writer.add_scalar(f"{clip}/flicker", flicker.excess, evaluator.steps)
        writer.add_scalar(f"{clip}/warping_error_of_input", flicker.content, evaluator.steps)
        excesses.append(flicker.excess)
    return {"flicker": fmean(excesses)} if excesses else {}


def labels(styles: Sequence[Path]) -> list[str]:
    """A short, different name for each path: that of its run folder, or of the file."""
    names: list[str] = []
    for path in styles:
        names.append(different(place_of(path), names))
    return names
