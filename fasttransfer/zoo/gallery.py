"""Cards of the bundled styles, tables of them, and a contact sheet to choose from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

import torch
from omegaconf import OmegaConf
from rich.console import Console
from rich.table import Column, Table
from torch import Tensor

from ..core.assets import BUNDLED_STYLES, CONF_DIR
from ..images.contact_sheets import captioned, stacked, tiled
from ..images.tensors import resize
from ..models.style_file import StyleFile, load_style

CELL = 300  # longer side of a photo in the sheet, in pixels
SHOWN_AT = 512  # the same while it is stylized: strokes do not scale with the picture
COLUMNS = 5
UNKNOWN = "–"


@dataclass(frozen=True)
class Card:
    """Facts about a trained style; numbers are None if its file lacks them.

    Attributes:
        name: as it is typed after ``style=``.
        network: the preset, or the channels if it is not a preset.
        license: of the style image, with its origin.
        start: the style whose weights its training began with, or None.
        steps, seconds, device: of the training.
        content, style, palette, grid, checkerboard: scores over the probe photos, of the balanced
            objective and of ``artifacts``, see ``scores.Scorer``.
        megabytes: of the file.
    """

    name: str
    network: str
    license: str
    start: str | None
    steps: int | None
    seconds: float | None
    device: str | None
    content: float | None
    style: float | None
    palette: float | None
    grid: float | None
    checkerboard: float | None
    megabytes: float

    @classmethod
    def of(cls, path: Path) -> "Card":
        """Reads the card of a style file."""
        style = load_style(path)
        metadata = style.metadata
        training, scores = (metadata.get(key) or {} for key in ("training", "scores"))
        return cls(
            name=path.stem,
            network=preset_of(style),
            license=str(metadata.get("license", UNKNOWN)),
            start=training.get("start"),
            steps=metadata.get("steps"),
            seconds=metadata.get("seconds"),
            device=metadata.get("device"),
            content=scores.get("balanced_content"),
            style=scores.get("balanced_style"),
            palette=scores.get("balanced_palette"),
            grid=scores.get("grid"),
            checkerboard=scores.get("checkerboard"),
            megabytes=path.stat().st_size / 1e6,
        )


def cards(folder: Path = BUNDLED_STYLES) -> list[Card]:
    """The cards of all style files in a folder, by name."""
    return [Card.of(path) for path in sorted(folder.glob("*.safetensors"))]


def preset_of(style: StyleFile) -> str:
    """The name of the network in ``conf/network/``."""
    for path in sorted((CONF_DIR / "network").glob("*.yaml")):
        preset = OmegaConf.to_container(OmegaConf.load(path))
        assert isinstance(preset, dict)
        if style.network.config.items() <= preset.items():
            return path.stem
    return str(style.network.config["channels"])


def print_cards(shown: Iterable[Card], console: Console) -> None:
    """Prints a table of the cards."""
    shown = list(shown)
    longest = max(len(card.name) for card in shown)  # users type it, so it is never cut off
    first = (Column("style", min_width=longest), Column("network", min_width=8))
    numbers = (Column("content", min_width=7), Column("MB", min_width=3))
    table = Table(*first, *numbers, box=None)
    table.add_column("style image", no_wrap=True, overflow="ellipsis")
    for card in shown:
        table.add_row(
            card.name,
            card.network,
            _number(card.content, ".2f"),
            f"{card.megabytes:.1f}",
            card.license.removeprefix("public domain: "),
        )
    console.print(table)


def markdown(shown: Iterable[Card]) -> str:
    """A Markdown table of the cards, for a README."""
    about = ("style", "network", "style image and license", "starts from", "steps")
    scores = ("content", "style term", "palette", "grid", "checkerboard")
    titles = (*about, "minutes", "device", *scores)
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for card in shown:
        minutes = None if card.seconds is None else card.seconds / 60
        cells = [
            card.name,
            card.network,
            card.license,
            card.start or "nothing",
            str(card.steps or UNKNOWN),
            _number(minutes, ".1f"),
            card.device or UNKNOWN,
            _number(card.content, ".2f"),
            _number(card.style, ".3f"),
            _number(card.palette, ".3f"),
            _number(card.grid, ".1f"),
            _number(card.checkerboard, ".1f"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def spread(shown: Iterable[Card]) -> str:
    """A Markdown table of how much scores vary between styles, a row for each network.

    Means and coefficients of variation.
    """
    groups: dict[str, list[Card]] = {}
    for card in shown:
        groups.setdefault(card.network, []).append(card)
    titles = ("network", "styles", "minutes", "content", "variation", "style", "variation")
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for network, members in groups.items():
        minutes = sum(card.seconds or 0 for card in members) / 60
        contents = [card.content for card in members if card.content is not None]
        styles = [card.style for card in members if card.style is not None]
        if len(contents) > 1 and len(styles) > 1:
            cells = (network, str(len(members)), f"{minutes:.0f}", *_mean(contents), *_mean(styles))
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _mean(values: Sequence[float]) -> tuple[str, str]:
    return f"{fmean(values):.3g}", f"{100 * stdev(values) / fmean(values):.0f} %"


@torch.no_grad()
def sheet(paths: Sequence[Path], photos: Sequence[Tensor]) -> Tensor:
    """A contact sheet (3, H, W).

    ``photos``, each (3, H, W) in [0, 1], and beside them every style's stylized pictures with its
    name below.
    """
    contents = [resize(photo, SHOWN_AT) for photo in photos]
    cells = [captioned(stacked([resize(content, CELL) for content in contents]), "photos")]
    for path in paths:
        network = load_style(path).network
        made = [network(content[None])[0].clamp(0, 1) for content in contents]
        small = [resize(picture, CELL) for picture in made]
        cells.append(captioned(stacked(small), path.stem.replace("_", " ")))
    return tiled(cells, COLUMNS)


def _number(value: float | None, form: str) -> str:
    return UNKNOWN if value is None else format(value, form)
