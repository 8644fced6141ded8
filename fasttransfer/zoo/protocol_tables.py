"""The tables of ``fasttransfer evaluate``: Markdown for people, CSV and JSON for programs."""

import csv
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean, stdev

from ..core.files import write_whole
from ..evaluation.scores import Scores, mean_scores

NAME = "results"  # .md, .csv and .json
# What stands above a column of the Markdown, and its score. The first four are those of the field.
SHOWN = {
    "content loss": "johnson_content",
    "style loss": "johnson_style",
    "SSIM": "ssim",
    "LPIPS": "lpips",
    "content": "balanced_content",
    "style": "balanced_style_full",
    "at half size": "balanced_style_half",
    "at a quarter": "balanced_style_quarter",
    "ms": "milliseconds",
}

Rows = Mapping[str, Mapping[str, Scores]]


def write_tables(folder: Path, rows: Rows, art_fid: float | None) -> tuple[dict[str, Scores], str]:
    """Writes ``results.md``, ``results.csv``, and ``results.json``.

    Args:
        folder: where they go.
        rows: by style, the scores of each photo.
        art_fid: over all pictures, or None.

    Returns:
        By style the means over the photos, and the Markdown.
    """
    means = {name: mean_scores(photos.values()) for name, photos in rows.items()}
    overall = mean_scores(means.values())
    found = {"means": means, "mean": overall, "art_fid": art_fid, "photos": rows}
    table = _markdown(rows, means, overall, art_fid)
    _write(folder / f"{NAME}.json", json.dumps(found, indent=1))
    _write(folder / f"{NAME}.csv", _csv(rows))
    _write(folder / f"{NAME}.md", table)
    return means, table


def _write(path: Path, text: str) -> None:
    write_whole(path, lambda file: file.write(text.encode("utf-8", "replace")))


def _csv(rows: Rows) -> str:
    """A line for each style and photo, with every score."""
    keys = list(dict.fromkeys(key for row in rows.values() for one in row.values() for key in one))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["style", "photo", *keys])
    for style, photos in rows.items():
        for photo, scores in photos.items():
            writer.writerow([style, photo, *(scores.get(key, "") for key in keys)])
    return text.getvalue()


def _markdown(
    rows: Rows, means: Mapping[str, Scores], overall: Scores, art_fid: float | None
) -> str:
    """A line for each style: the mean and, after ±, the standard deviation over its photos."""
    shown = {label: key for label, key in SHOWN.items() if key in overall}
    lines = ["| style | " + " | ".join(shown) + " |", "|---" * (len(shown) + 1) + "|"]
    for style, photos in rows.items():
        cells = [
            _cell([one[key] for one in photos.values() if key in one]) for key in shown.values()
        ]
        lines.append(f"| {style} | " + " | ".join(cells) + " |")
    spread = [_cell([row[key] for row in means.values() if key in row]) for key in shown.values()]
    lines.append("| all styles | " + " | ".join(spread) + " |")
    if art_fid is not None:
        pictures = sum(map(len, rows.values()))
        lines += ["", f"ArtFID of {pictures} pictures and {len(rows)} paintings: {art_fid:.2f}"]
    return "\n".join(lines) + "\n"


def _cell(values: list[float]) -> str:
    if not values:
        return "–"
    spread = f" ± {_text(stdev(values), 2)}" if len(values) > 1 else ""
    return _text(fmean(values), 3) + spread


def _text(value: float, digits: int) -> str:
    """So many digits, and never a power of ten."""
    return f"{float(f'{value:.{digits}g}'):,.{max(0, _places(value, digits))}f}"


def _places(value: float, digits: int) -> int:
    return digits - 1 - math.floor(math.log10(abs(value))) if value else digits - 1
