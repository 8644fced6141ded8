"""A style as a file that other programs execute."""

from dataclasses import dataclass
from pathlib import Path

from ..core.errors import FastTransferError
from ..core.paths import exists, expand_user, is_folder
from ..models.style_file import StyleFile, safe_name
from .exporters.formats import FORMATS
from .exporters.settings import ExportSettings


@dataclass(frozen=True)
class Exported:
    """What was written: the file, and what it takes, gives, and how exact it is, for people."""

    path: Path
    facts: str


def export_style(style: StyleFile, output: str | None, settings: ExportSettings) -> Exported:
    """Writes a style for other programs.

    Args:
        style: what is exported.
        output: a file, or a folder; None is the style's name in the current folder.
        settings: the format, and what the file takes and gives.

    Raises:
        FastTransferError: a file that may not be replaced, another ending, a missing library, or a
            result that is not what the network makes; nothing is written then.
    """
    form = FORMATS[settings.format]
    path = _target(style, output, form.suffix)
    if exists(path) and not settings.overwrite:
        raise FastTransferError(f"{path} already exists; write overwrite=true to replace it")
    return Exported(path, form.writer()(style, settings, path))


def _target(style: StyleFile, output: str | None, suffix: str) -> Path:
    path = expand_user(output or "")
    if path.suffix == suffix:
        return path
    if path.suffix and not is_folder(path):
        raise FastTransferError(f"output={output} must end in {suffix}, or be a folder")
    return path / f"{safe_name(style.name)}{suffix}"
