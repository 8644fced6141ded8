"""What is known of styles, in a few lines each."""

from collections.abc import Mapping
from typing import Any

from ..core.assets import BUNDLED_STYLES
from ..models.style_file import bundled_styles
from ..models.weight_files import read_metadata

CARD = ("license", "start", "steps", "seconds", "device", "scores", "parts")


def styles() -> dict[str, dict[str, Any]]:
    """The bundled styles: cards by name, see ``Style.card``.

    >>> import fasttransfer as ft
    >>> ft.styles()["udnie"]["license"]
    'public domain: Udnie, Francis Picabia, 1913'
    """
    return {
        name: card_of(name, read_metadata(BUNDLED_STYLES / f"{name}.safetensors"))
        for name in bundled_styles()
    }


def card_of(name: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata that people ask for; see ``Style.card``."""
    training = metadata.get("training")
    start = training.get("start") if isinstance(training, dict) else None
    facts = {"start": start, **metadata}
    card = {"name": name, "network": metadata.get("network_config")}
    card |= {key: facts.get(key) for key in CARD}
    return {key: value for key, value in card.items() if value is not None}
