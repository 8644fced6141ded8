"""The protocol of papers: train each style for a budget, stylize the same photos, score the pictures.

Everything lies in one folder, and the same command continues what was interrupted: a run from its last
checkpoint, and after it the styles that have no scores yet.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from rich.console import Console
from torch import Tensor

from ..core.errors import FastTransferError
from ..core.files import shown, write_whole
from ..core.hardware import pick_device
from ..core.paths import expand_user, is_file
from ..core.values import whole_number
from ..data.photos import photo_folder, read_probe
from ..data.style_image import MAX_PIXELS, bundled_style_images
from ..evaluation.field_metrics import ArtFID, FieldMetrics, MetricSettings, check_weights
from ..evaluation.photos_and_clips import different
from ..evaluation.scores import Scores
from ..evaluation.style_evaluator import StyleEvaluator
from ..images.reading import read_picture
from ..images.writing import write_picture
from ..models.style_file import STYLE_FILE, safe_name
from ..models.vgg import VGG16Features
from ..stylizing.stylizer import Stylizer
from ..training.budget import seconds
from .protocol_tables import write_tables
from .training import Training

RUN = "run"  # folder of a style's training
PICTURES = "pictures"
SCORES_FILE = "scores.json"


@dataclass(frozen=True)
class ProtocolSettings:
    """What is trained, and what is scored.

    Attributes:
        paintings: picture files, or bundled style images; all in one folder count, if it is one.
        photos: to train with.
        input: photos to stylize and score, a folder or ``bundled-probe``.
        count: so many of them.
        size: their longer side in pixels, where they are larger.
        output: the folder for everything.
        budget: of every run, see ``training.budget.seconds``.
        steps: so many of them instead, or None.
        training: further settings of every run, as they are typed: ``network=realtime``.
        metrics: weights of scores.
        artfid: ``art_inception.pth`` of Wright & Ommer 2022, or None.
        device: of the loss network and of those of scores.

    Raises:
        FastTransferError: a value out of range, or a file that is not there.
    """

    paintings: Sequence[str]
    photos: str
    input: str
    count: int
    size: int
    output: str
    budget: str
    steps: int | None
    training: Sequence[str]
    metrics: MetricSettings
    artfid: str | None
    device: str

    def __post_init__(self) -> None:
        seconds(self.budget)
        if self.steps is not None:
            whole_number("steps", self.steps, least=1)
        whole_number("count", self.count, least=1)
        whole_number("size", self.size, least=64)
        if self.artfid is not None:
            check_weights("artfid", self.artfid)
            if self.metrics.alexnet() is None:
                raise FastTransferError(
                    "artfid= includes LPIPS, for which AlexNet's weights are missing; give "
                    "metrics.lpips= torchvision's file."
                )

    def styles(self) -> dict[str, str]:
        """The style images, by a short name for each."""
        found: dict[str, str] = {}
        for painting in self.paintings:
            is_there = painting in bundled_style_images() or is_file(expand_user(painting))
            if not is_there:
                raise FastTransferError(
                    f"There is no painting '{painting}'; give picture files, or the bundled style "
                    f"images {', '.join(sorted(bundled_style_images()))}."
                )
            found[different(safe_name(Path(painting).stem), found)] = painting
        if not found:
            raise FastTransferError("Give at least one painting: a picture file.")
        return found


@dataclass(frozen=True)
class ScoredStyle:
    """What one style gave.

    Attributes:
        painting: its style image (3, H, W).
        pictures: the stylized photos.
        scores: by photo.
    """

    painting: Tensor
    pictures: Sequence[Path]
    scores: Mapping[str, Scores]


def run_protocol(
    settings: ProtocolSettings, make_stylizer: Callable[..., Stylizer], console: Console
) -> dict[str, Scores]:
    """Trains, stylizes, and scores what is missing, and writes the tables.

    Args:
        settings: see there.
        make_stylizer: makes a ``Stylizer`` of a style file.
        console: for the table.

    Returns:
        By style the means over the photos.

    Raises:
        FastTransferError: a run that failed, or no photo that can be read.
    """
    folder, styles = expand_user(settings.output), settings.styles()
    photos = _photos(settings)
    for name, painting in styles.items():
        _training(name, painting, folder, settings).run()
    device = pick_device(settings.device)
    features = VGG16Features("bundled").to(device)
    metrics = FieldMetrics(settings.metrics, device)
    done: dict[str, ScoredStyle] = {}
    for name, painting in styles.items():
        path = folder / name / RUN / STYLE_FILE
        evaluator = StyleEvaluator(path, make_stylizer, painting, features, None, metrics, console)
        done[name] = _scored(evaluator, folder / name, photos)
    art = None
    if settings.artfid is not None:
        art = _art_fid(ArtFID(expand_user(settings.artfid), device), list(done.values()))
    means, table = write_tables(folder, {name: one.scores for name, one in done.items()}, art)
    console.print(table, markup=False)
    console.print(f"the pictures, the scores, and this table are in {shown(folder)}", markup=False)
    return means


def _photos(settings: ProtocolSettings) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    chosen = read_probe(photo_folder(settings.input), settings.size, settings.count, MAX_PIXELS)
    for path, photo in chosen.items():
        found[different(path.stem, found)] = photo
    return found


def _training(name: str, painting: str, folder: Path, settings: ProtocolSettings) -> Training:
    run = folder / name / RUN
    length = (
        [f"budget={settings.budget}"]
        if settings.steps is None
        else ["budget=full", f"trainer.max_steps={settings.steps}"]
    )
    typed = [
        f"style.path={painting}",
        f"style.name={name}",
        f"data.root={settings.photos}",
        f"run_dir={run}",
        *length,
        *settings.training,
    ]
    return Training(name, run, painting, typed)


def _scored(evaluator: StyleEvaluator, folder: Path, photos: Mapping[str, Tensor]) -> ScoredStyle:
    """Stylizes and scores the photos, unless all of it is in the folder."""
    painting = evaluator.style
    assert painting is not None  # from the run folder
    pictures = [folder / PICTURES / f"{name}.png" for name in photos]
    file = folder / SCORES_FILE
    scores = _stored(file)
    complete = list(scores) == list(photos) and all(map(is_file, pictures))
    if not complete or evaluator.metrics.names - scores[next(iter(scores))].keys():
        scores, stylized = evaluator.photos(photos)
        (folder / PICTURES).mkdir(parents=True, exist_ok=True)
        for path, picture in zip(pictures, stylized.values(), strict=True):
            write_picture(path, picture, None, quality=100)
        text = json.dumps(scores, indent=1).encode()
        write_whole(file, lambda out: out.write(text))
    return ScoredStyle(painting[0], pictures, scores)


def _stored(path: Path) -> dict[str, Scores]:
    """Scores by photo as ``_scored`` wrote them; none if they are missing or damaged."""
    try:
        found = json.loads(path.read_bytes())
        return {
            photo: {key: float(value) for key, value in scores.items()}
            for photo, scores in found.items()
        }
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _art_fid(measure: ArtFID, styles: Sequence[ScoredStyle]) -> float:
    distances = [
        scores["lpips"] for one in styles for scores in one.scores.values() if "lpips" in scores
    ]
    if not distances:
        raise FastTransferError("ArtFID includes LPIPS, and every photo is too small for it.")
    pictures = (
        read_picture(path, max_pixels=MAX_PIXELS).rgb for one in styles for path in one.pictures
    )
    return measure(pictures, [one.painting for one in styles], fmean(distances))
