"""One style over the photos of a comparison: its pictures, its scores, and its time."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from rich.console import Console
from torch import Tensor

from ..core.errors import FastTransferError, shown_name
from ..core.paths import is_file
from ..core.renamed import STYLES
from ..data.style_image import MAX_PIXELS, StyleImage, bundled_style_images
from ..images.reading import read_picture
from ..models.style_file import STYLE_IMAGE_FILE, StyleFile, load_style, run_of, target_of
from ..models.vgg import VGG16Features
from ..stylizing.stylizer import Stylizer
from .field_metrics import FieldMetrics
from .scores import Scorer, Scores
from .slow_baseline import SlowBaselines

USUAL_SIZE = 512  # longer side in pixels of a style image if the style file does not have it
MOST_SIZE = 4096  # longer side of a style image in pixels, whatever a file says
REPEATS = 3  # of every picture, for the time, after one that is not timed


class StyleEvaluator:
    """One style over the photos of a comparison.

    Args:
        path: of the style file or checkpoint.
        make_stylizer: makes a ``Stylizer`` of it.
        painting: the style image of a style that comes without it, a file or a bundled name, or None.
        features: the loss network.
        baselines: what the slow method achieves, or None not to compare with it.
        metrics: further scores of a picture and its photo.
        console: where a missing style image is reported.

    Attributes:
        style: the style image (1, 3, H, W) if it is in the run folder or in the package, or None.
    """

    def __init__(
        self,
        path: Path,
        make_stylizer: Callable[..., Stylizer],
        painting: str | None,
        features: VGG16Features,
        baselines: SlowBaselines | None,
        metrics: FieldMetrics,
        console: Console,
    ) -> None:
        style_file = load_style(path)
        steps = style_file.metadata.get("steps")
        self.steps = steps if isinstance(steps, int) else 0
        self.run = run_of(path.resolve())
        self.stylizer = make_stylizer(style=style_file)
        self.style = style_image_of(path, style_file)
        self.scorer = scorer_of(style_file, self.style, painting, features)
        if not self.scorer.objectives:
            text = (
                f"{self.stylizer.name} comes without its style image, so it has no objective and no "
                "style score; name the image by --painting painting.jpg (comparison.style=)"
            )
            console.print(shown_name(text), markup=False)
        self.baselines = baselines
        self.metrics = metrics

    def photos(self, contents: Mapping[str, Tensor]) -> tuple[dict[str, Scores], dict[str, Tensor]]:
        """The scores and the stylized picture of each photo (3, H, W)."""
        scores: dict[str, Scores] = {}
        pictures: dict[str, Tensor] = {}
        for name, content in contents.items():
            stylized, milliseconds = timed(self.stylizer, content)
            scores[name] = self._scores(name, stylized, content) | {"milliseconds": milliseconds}
            pictures[name] = stylized
        return scores, pictures

    def _scores(self, name: str, stylized: Tensor, photo: Tensor) -> Scores:
        found = self.scorer(stylized, photo) | self.metrics(stylized, photo)
        if self.scorer.objectives and self.baselines is not None:
            found |= self.baselines.of(name, photo, self.scorer.objectives).compared(found)
        return found


def scorer_of(
    style_file: StyleFile, image: Tensor | None, painting: str | None, features: VGG16Features
) -> Scorer:
    """Scores by the style image, by what the style file holds of it, or else by ``painting``.

    Args:
        style_file: as it was read.
        image: its style image (1, 3, H, W), if that is known.
        painting: another one, a file or a bundled name.
        features: the loss network.

    Raises:
        FastTransferError: what the file holds of it is damaged, or the painting is not there.
    """
    if image is not None:
        return Scorer(image, features)
    if target := target_of(style_file):
        try:
            return Scorer(target, features)
        except FastTransferError as error:
            raise FastTransferError(
                f"'{style_file.path}' cannot be scored: {error}; write it again, or upgrade "
                "fasttransfer."
            ) from error
    return Scorer(None if painting is None else read_style_image(painting, style_file), features)


def timed(stylizer: Stylizer, content: Tensor) -> tuple[Tensor, float]:
    """The stylized photo and the median milliseconds it took."""
    stylizer(content)
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        stylized = stylizer(content)  # returns it on the CPU, so it waits for the device
        times.append(1000 * (time.perf_counter() - start))
    return stylized, median(times)


def style_image_of(path: Path, style_file: StyleFile) -> Tensor | None:
    """The style image (1, 3, H, W) that a style was trained for.

    It comes from the run folder, or is the bundled one; None if neither is there.
    """
    run = run_of(path)  # a style.png beside any other file may be anything
    if run is not None and is_file(run / STYLE_IMAGE_FILE):
        return read_picture(run / STYLE_IMAGE_FILE, max_pixels=MAX_PIXELS).rgb[None]
    name = str(_settings(style_file).get("path"))
    name = STYLES.get(name, name)
    return read_style_image(name, style_file) if name in bundled_style_images() else None


def read_style_image(name: str, style_file: StyleFile) -> Tensor:
    """A picture file or a bundled style image (1, 3, H, W), as large as the style was trained with."""
    size = _settings(style_file).get("size")
    size = size if isinstance(size, int) else USUAL_SIZE
    if size > MOST_SIZE:
        raise FastTransferError(
            f"'{style_file.path}' claims a style image of {size} pixels, more than {MOST_SIZE}; "
            "its metadata was changed by hand: train or download the style again."
        )
    return StyleImage(name, size, name=None, license=None, strength=1).image


def _settings(style_file: StyleFile) -> dict[str, object]:
    """The settings of the style image in training."""
    training = style_file.metadata.get("training")
    found = training.get("style") if isinstance(training, dict) else None
    return found if isinstance(found, dict) else {}
