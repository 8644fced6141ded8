"""The styles of a session and what lies between them: blends, and crossfades from one to the next."""

import threading
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..models.blending import StyleMixture, mean_network, obstacle
from ..models.style_file import StyleFile
from ..models.transformer_net import TransformerNet
from ..stylizing.engine import Engine
from ..stylizing.engines import exchangeable
from ..stylizing.mixture_engine import MixtureEngine
from ..stylizing.stylizer import Stylizer
from .shown import Choice

STEPS = 256  # from one style to another; finer ones cannot be seen
Shares = Mapping[str, float]  # of styles, which add up to 1


class Blends:
    """Stylizers for what is chosen, without a stall.

    Styles of one shape and start are mixed by their weights, in an engine that gets them with each
    picture. Of others, the pictures are mixed.

    Args:
        stylizers: at least one, with names that differ.
        seconds: that a crossfade takes; 0: none.
    """

    def __init__(self, stylizers: Sequence[Stylizer], seconds: float) -> None:
        self._stylizers = {stylizer.name: stylizer for stylizer in stylizers}
        self._fade = Fade(seconds)
        self._lock = threading.Lock()  # photos come from other threads than frames
        self._engines: dict[object, Callable[[TransformerNet], Engine]] = {}
        self._mixable: dict[tuple[str, ...], bool] = {}
        self._last: tuple[Shares, Stylizer] | None = None
        self._prepare(stylizers)

    def chosen(self, choice: Choice) -> Stylizer:
        """The stylizer for what is chosen."""
        return self._of(_shares(choice), choice)

    def fading(self, choice: Choice, seconds: float) -> Stylizer:
        """The same for the frame at a time, on the way from what was chosen before."""
        return self._of(self._fade.at(_shares(choice), seconds), choice)

    def _of(self, shares: Shares, choice: Choice) -> Stylizer:
        with self._lock:
            if self._last is None or self._last[0] != shares:
                self._last = shares, self._mixed(shares)
            stylizer = self._last[1]
        return stylizer.with_settings(strength=choice.strength, color=choice.color)

    def _mixed(self, shares: Shares) -> Stylizer:
        used = [(self._stylizers[name], share) for name, share in shares.items() if share > 0]
        first = used[0][0]
        if len(used) == 1:
            return first
        name = "-".join(stylizer.name for stylizer, _ in used)
        if self._mix_by_weights([stylizer for stylizer, _ in used]):
            parts = [(one.style, share) for one, share in used if isinstance(one.style, StyleFile)]
            network = mean_network(parts)
            engine = self._engine_for(first)(network)
            return first.with_engine(StyleFile(network, name), engine)
        engines = MixtureEngine([one.engine for one, _ in used], [share for _, share in used])
        flat = [part for one, share in used for part in _parts(one.style, share)]
        return first.with_engine(StyleMixture(tuple(flat), name, {}, ""), engines)

    def _mix_by_weights(self, stylizers: Sequence[Stylizer]) -> bool:
        names = tuple(stylizer.name for stylizer in stylizers)
        if names not in self._mixable:
            styles = [one.style for one in stylizers if isinstance(one.style, StyleFile)]
            self._mixable[names] = len(styles) == len(names) and obstacle(styles) is None
        return self._mixable[names]

    def _engine_for(self, stylizer: Stylizer) -> Callable[[TransformerNet], Engine]:
        shape = str(stylizer.network.config)
        if shape not in self._engines:
            self._engines[shape] = exchangeable(stylizer.engine, stylizer.network)
        return self._engines[shape]

    def _prepare(self, stylizers: Sequence[Stylizer]) -> None:
        """Makes the engines of blends ready: the first frame of one would be waited for."""
        for number, one in enumerate(stylizers):
            others = stylizers[number + 1 :]
            if any(self._mix_by_weights([one, other]) for other in others) and (
                str(one.network.config) not in self._engines
            ):
                self._engine_for(one)(one.network).frames(np.zeros((1, 48, 64, 3), np.uint8))


class Fade:
    """Shares that move to others in ``seconds``, once a style comes or goes."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._names: set[str] = set()
        self._shown: Shares = {}
        self._before: Shares = {}
        self._since = 0.0

    def at(self, wanted: Shares, now: float) -> Shares:
        """What to show at a time, which never decreases."""
        if set(wanted) != self._names:
            self._names, self._before, self._since = set(wanted), self._shown, now
        if self._before and now - self._since < self._seconds:
            way = (now - self._since) / self._seconds
            self._shown = _between(self._before, wanted, round(STEPS * way) / STEPS)
        else:
            self._shown, self._before = wanted, {}
        return self._shown


def _between(one: Shares, other: Shares, way: float) -> Shares:
    names = [*one, *(name for name in other if name not in one)]
    mixed = {name: (1 - way) * one.get(name, 0) + way * other.get(name, 0) for name in names}
    return {name: share for name, share in mixed.items() if share > 0}


def _shares(choice: Choice) -> Shares:
    if choice.second is None or choice.share == 0:
        return {choice.style: 1.0}
    if choice.share == 1:
        return {choice.second: 1.0}
    return {choice.style: 1 - choice.share, choice.second: choice.share}


def _parts(style: StyleFile | StyleMixture, share: float) -> list[tuple[StyleFile, float]]:
    if isinstance(style, StyleFile):
        return [(style, share)]
    return [(part, share * weight) for part, weight in style.parts]
