"""What ``style=`` stands for."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig

from ..core.errors import FastTransferError
from ..core.values import as_list
from ..models.style_file import find_style, place_of, safe_name

if TYPE_CHECKING:
    from ..models.blending import StyleMixture
    from ..models.style_file import StyleFile
    from ..stylizing.stylizer import Stylizer

_OF_NETWORKS = ("stroke_size", "tiles", "engine", "precision")


def is_slow() -> bool:
    """Whether ``stylizer=optimize`` is chosen, which has paintings instead of trained styles."""
    return HydraConfig.get().runtime.choices["stylizer"] == "optimize"


def style_names(config: DictConfig) -> list[str]:
    """What ``style=`` names or, with ``stylizer=optimize``, ``style.path=``; each once.

    Raises:
        FastTransferError: settings that do not go together.
    """
    if not is_slow():
        return list(dict.fromkeys(as_list(config.style)))
    if not isinstance(config.style, DictConfig):
        raise FastTransferError(
            "stylizer=optimize needs a painting and no trained style; write style.path=painting.jpg, or "
            "the name of a drawn style image, such as style.path=mosaic"
        )
    if ignored := [name for name in _OF_NETWORKS if config[name] not in (None, "auto", "off")]:
        raise FastTransferError(
            f"{ignored[0]}= is for networks, and stylizer=optimize has none; leave it out "
            "(style.size= sets how large strokes are)"
        )
    return list(dict.fromkeys(as_list(config.style.path)))


def find_styles(config: DictConfig) -> list[Path]:
    """The style files behind ``style=``."""
    return [find_style(style) for style in style_names(config)]


def make_stylizers(config: DictConfig) -> "list[Stylizer]":
    """A stylizer for each style, with names that differ."""
    make = instantiate(config.stylizer)
    if not is_slow():
        return [make(style) for style in load_styles(config)]
    stylizers = [make(style) for style in style_names(config)]
    names = [stylizer.name for stylizer in stylizers]
    if len(set(names)) < len(names):
        raise FastTransferError(
            f"style.path= has two paintings of one name: {', '.join(sorted(names))}"
        )
    return stylizers


def load_styles(config: DictConfig) -> "list[StyleFile | StyleMixture]":
    """What ``style=`` names, with names that differ."""
    from ..models.blending import load_style_or_blend

    return _with_distinct_names([load_style_or_blend(style) for style in style_names(config)])


def _with_distinct_names(
    styles: "Sequence[StyleFile | StyleMixture]",
) -> "list[StyleFile | StyleMixture]":
    """Makes the names of styles unique.

    To a name that several have, such as two runs of one painting, that of the run folder or of the
    file is added.
    """
    names = [safe_name(style.name) for style in styles]
    taken = set(names)
    distinct: list[StyleFile | StyleMixture] = []
    for style, name in zip(styles, names, strict=True):
        if names.count(name) == 1:
            distinct.append(style)
            continue
        path = getattr(style, "path", None)
        stem = name if path is None else f"{name}-{place_of(path)}"
        numbered = (f"{stem}-{number}" for number in itertools.count(2))
        own = next(one for one in itertools.chain([stem], numbered) if one not in taken)
        taken.add(own)
        distinct.append(replace(style, name=own))
    return distinct
