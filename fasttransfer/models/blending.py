"""Several styles as one: by the mean of their weights, or by the mean of their pictures.

Networks that were trained from the same start lie in one valley of the loss: the mean of their weights
is a network too, whose style is between theirs (Deep Network Interpolation, Wang et al. 2019,
arXiv:1811.10515; linear mode connectivity, Frankle et al. 2020, arXiv:1912.05671). Of networks with
other shapes or starts only the pictures can be mixed.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..core.assets import BASES, BUNDLED_STYLES
from ..core.errors import FastTransferError
from ..core.paths import exists
from ..core.renamed import STYLES
from .style_file import FORMAT_VERSION, StyleFile, bundled_styles, find_style, load_style
from .transformer_net import TransformerNet, fingerprint

BASE_KEY = "base"  # of the metadata: which start a network goes back to
BUNDLED_BASE = "bundled"  # that of all bundled styles of one shape
# Mean cosine of the kernels. Bundled styles of one shape have 0.07 to 0.6 with each other and with the
# base, however long they were trained; networks with starts of their own have less than 0.005.
LEAST_COSINE = 0.03


@dataclass(frozen=True)
class StyleMixture:
    """Styles whose pictures are mixed, as their weights cannot be.

    Attributes:
        parts: styles and their weights, which add up to 1.
        name: of the mixture.
        metadata: as that of a ``StyleFile``.
        reason: one sentence that says why their weights cannot be mixed.
    """

    parts: tuple[tuple[StyleFile, float], ...]
    name: str
    metadata: dict[str, Any]
    reason: str


def blend(parts: Sequence[tuple[StyleFile, float]]) -> StyleFile | StyleMixture:
    """Mixes styles.

    Args:
        parts: styles and their weights, which are divided by their sum. At least one.

    Returns:
        A style with the mean of their weights where they share shape and start, otherwise a mixture
        of their pictures. With one weight above 0, that style itself.

    Raises:
        FastTransferError: weights that are negative, not numbers, or all 0.
    """
    weights = [weight for _, weight in parts]
    if not weights or not all(_is_weight(weight) for weight in weights) or sum(weights) <= 0:
        raise FastTransferError(
            f"The weights of a blend must be numbers from 0 on, one of them above 0, not "
            f"{', '.join(map(str, weights)) or 'none'}."
        )
    total = float(sum(weights))
    used = [(style, weight / total) for style, weight in parts if weight > 0]
    if len(used) == 1:
        return used[0][0]
    name = " + ".join(f"{style.name} {weight:.2g}" for style, weight in used)
    reason = obstacle([style for style, _ in used])
    metadata = _metadata(used, name)
    if reason is not None:
        return StyleMixture(tuple(used), name, metadata, reason)
    metadata[BASE_KEY] = base_of(used[0][0])
    return StyleFile(mean_network(used), name, metadata)


def parse_blend(text: str) -> list[tuple[str, float]] | None:
    """The styles and weights in ``mosaic:0.6,udnie:0.4``.

    None if it is the name of one style or file, or a list of names without weights.

    Raises:
        FastTransferError: some have a weight and others do not.
    """
    if exists(text):
        return None
    parts = [part.strip().rpartition(":") for part in text.split(",")]
    numbers = [_number(weight) if colon and name else None for name, colon, weight in parts]
    if all(number is None for number in numbers):
        return None
    if any(number is None for number in numbers):
        raise FastTransferError(
            f"A blend names a weight for each style, such as mosaic:0.6,udnie:0.4; '{text}' does not."
        )
    names = [name for name, _, _ in parts]
    return [(name, float(number or 0)) for name, number in zip(names, numbers, strict=True)]


def load_style_or_blend(text: str | Path) -> StyleFile | StyleMixture:
    """The style behind a name, a path, or a blend such as ``mosaic:0.6,udnie:0.4``.

    Raises:
        FastTransferError: a style that is not there or cannot be read, or weights that cannot be used.
    """
    parts = parse_blend(str(text))
    if parts is None:
        return load_style(find_style(text))
    return blend([(load_style(find_style(name)), weight) for name, weight in parts])


def obstacle(styles: Sequence[StyleFile]) -> str | None:
    """Why the weights of styles cannot be mixed, as one sentence; None if they can."""
    for one, other in itertools.combinations(styles, 2):
        names = f"{one.name} and {other.name}"
        if one.network.config != other.network.config:
            return f"The networks of {names} have different shapes."
        bases = base_of(one), base_of(other)
        if None in bases:
            unknown = one.name if bases[0] is None else other.name
            return f"It is not known what the training of {unknown} started from."
        if bases[0] != bases[1] or _cosine(one.network, other.network) < LEAST_COSINE:
            return f"The trainings of {names} started from different networks."
    return None


def base_of(style: StyleFile) -> str | None:
    """The network that the training of a style goes back to.

    The same text for the same one, None if that is not known.
    """
    recorded = style.metadata.get(BASE_KEY)
    if isinstance(recorded, str):
        return recorded
    if style.path is not None and style.path.parent in (BUNDLED_STYLES, BASES):
        return BUNDLED_BASE
    training = style.metadata.get("training")
    start = training.get("start") if isinstance(training, dict) else None
    return BUNDLED_BASE if start in ("base", *bundled_styles(), *STYLES) else None


def mean_network(parts: Sequence[tuple[StyleFile, float]]) -> TransformerNet:
    """The network with the mean of the weights of styles without an ``obstacle``.

    Args:
        parts: styles and their weights, which add up to 1.
    """
    states = [(style.network.state_dict(), weight) for style, weight in parts]
    mean = {
        name: sum(weight * state[name].double() for state, weight in states).float()
        for name in states[0][0]
    }
    with torch.device("meta"):
        network = TransformerNet(**parts[0][0].network.config)
    network.load_state_dict(mean, assign=True)
    return network.eval().requires_grad_(False)


def _cosine(one: TransformerNet, other: TransformerNet) -> float:
    """Mean cosine of the kernels of two networks of one shape, by their numbers of weights."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    kernels = [(a, b) for a, b in pairs if a.ndim == 4]
    cosines = [a.numel() * torch.cosine_similarity(a.flatten(), b.flatten(), 0) for a, b in kernels]
    return float(sum(cosines)) / sum(a.numel() for a, _ in kernels)


def _metadata(parts: Sequence[tuple[StyleFile, float]], name: str) -> dict[str, Any]:
    licenses = dict.fromkeys(str(s.metadata.get("license", "not stated")) for s, _ in parts)
    return {
        "format_version": FORMAT_VERSION,
        "name": name,
        "license": "; ".join(licenses),
        "parts": [
            {"name": style.name, "weight": weight, "fingerprint": fingerprint(style.network)}
            for style, weight in parts
        ],
    }


def _is_weight(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and value >= 0
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
