"""A comparison as one HTML file that is complete in itself: pictures to compare, and their scores."""

import base64
import hashlib
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from torch import Tensor

from ..core.assets import PAGE_PARTS
from ..core.errors import FastTransferError, brief
from ..core.files import write_whole
from ..images.tensors import to_pil
from .columns import Column

QUALITY = 88  # of JPEG


@dataclass(frozen=True)
class ComparedPhoto:
    """One photo, with the pictures and scores of each style.

    Attributes:
        name: of the photo; any text.
        content: (3, H, W) in [0, 1].
        stylized: by style, (3, H, W) in [0, 1] of any size; shown as large as the photo. A style may
            be missing.
        scores: by style; may be missing too.
    """

    name: str
    content: Tensor
    stylized: Mapping[str, Tensor]
    scores: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class ComparisonReport:
    """What ``write_page`` shows.

    Attributes:
        title: any text.
        columns: the scores that are shown.
        means: by style, its mean scores over all photos, in the order of the rows.
        photos: in order.
    """

    title: str
    columns: Sequence[Column]
    means: Mapping[str, Mapping[str, float]]
    photos: Sequence[ComparedPhoto]


def write_page(path: Path, report: ComparisonReport) -> None:
    """Writes the report as an HTML file with all pictures (JPEG) in it, whole or not at all.

    Raises:
        FastTransferError: the file cannot be written.
    """
    page = page_of(report).encode()
    try:
        write_whole(path, lambda file: file.write(page))
    except OSError as error:
        raise FastTransferError(f"{path} cannot be written ({brief(error)})") from error


def page_of(report: ComparisonReport) -> str:
    """The text of the page.

    Names are in it as JSON only. The page sets them as text, never as HTML, and its policy lets
    nothing run or load but what is in ``assets/page/``.
    """
    style, script = ((PAGE_PARTS / name).read_text("utf-8") for name in ("page.css", "page.js"))
    template = Template((PAGE_PARTS / "index.html").read_text("utf-8"))
    return template.substitute(
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        report=_json_for_html(_data(report)),
    )


def _data(report: ComparisonReport) -> dict[str, Any]:
    """The report as the page's script expects it, with numbers instead of the names of styles."""
    stylized = (name for photo in report.photos for name in photo.stylized)
    styles = list(dict.fromkeys([*report.means, *stylized]))

    def row(scores: Mapping[str, float]) -> list[float | str | None]:
        return [_score(float(scores.get(column.key, math.nan))) for column in report.columns]

    def photo_data(photo: ComparedPhoto) -> dict[str, Any]:
        versions = [
            {
                "style": number,
                "picture": _data_uri(photo.stylized[style]),
                "scores": row(photo.scores.get(style, {})),
            }
            for number, style in enumerate(styles)
            if style in photo.stylized
        ]
        height, width = photo.content.shape[1:]
        own = {"name": photo.name, "width": width, "height": height}
        return own | {"picture": _data_uri(photo.content), "versions": versions}

    return {
        "title": report.title,
        "columns": [
            {"label": c.label, "meaning": c.meaning, "more": c.more_is_better}
            for c in report.columns
        ],
        "styles": [{"name": name, "scores": row(report.means.get(name, {}))} for name in styles],
        "photos": [photo_data(photo) for photo in report.photos],
    }


def _score(score: float) -> float | str | None:
    """In JSON: infinity, which is the best where more is better, is a word."""
    if score == math.inf:
        return "never"
    return score if math.isfinite(score) else None


def _data_uri(picture: Tensor) -> str:
    file = io.BytesIO()
    # As in picture files: strokes have hard edges in color, which 4:2:0 would blur.
    to_pil(picture).save(file, "JPEG", quality=QUALITY, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def _json_for_html(data: object) -> str:
    """JSON in ASCII that no HTML parser takes for a tag or a comment, such as </script> or <!--."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _hash(text: str) -> str:
    """What a Content-Security-Policy calls this text."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
