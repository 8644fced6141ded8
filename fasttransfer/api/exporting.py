"""Styles from Python as files: their own, and those of other programs."""

import os
from pathlib import Path
from typing import Any

from ..core.errors import FastTransferError
from ..core.paths import expand_user
from ..models.blending import StyleMixture
from ..models.style_file import StyleFile, save_style, target_of
from ..stylizing.export import export_style
from ..stylizing.exporters.settings import ExportSettings
from .options import field_names, known

STYLE_SUFFIX = ".safetensors"


def saved(style: StyleFile | StyleMixture, path: str | os.PathLike[str]) -> Path:
    """See ``Style.save``."""
    target = expand_user(os.fsdecode(path))
    if not target.suffix:
        target = target.with_suffix(STYLE_SUFFIX)
    if target.suffix != STYLE_SUFFIX:
        raise FastTransferError(f"A style file ends in {STYLE_SUFFIX}, not as '{target}' does.")
    whole = _one_network(style, "be one style file")
    try:
        save_style(target, whole.network, whole.metadata, target=target_of(whole))
    except OSError as error:
        raise FastTransferError(f"'{target}' cannot be written ({error.strerror}).") from error
    return target


def exported(
    style: StyleFile | StyleMixture, path: str | os.PathLike[str] | None, options: dict[str, Any]
) -> Path:
    """See ``Style.export``."""
    settings = ExportSettings(**known(options, field_names(ExportSettings)))
    output = None if path is None else os.fsdecode(path)
    try:
        return export_style(_one_network(style, "be exported"), output, settings).path
    except OSError as error:
        raise FastTransferError(f"'{path}' cannot be written ({error.strerror}).") from error


def _one_network(style: StyleFile | StyleMixture, purpose: str) -> StyleFile:
    """The style itself.

    Raises:
        FastTransferError: it is mixed from pictures of several networks.
    """
    if isinstance(style, StyleMixture):
        raise FastTransferError(
            f"'{style.name}' is mixed from pictures and cannot {purpose}: {style.reason}"
        )
    return style
