"""The styles that a service offers, and the networks that are ready."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..core.errors import FastTransferError
from ..core.words import did_you_mean
from ..models.blending import StyleMixture, blend, parse_blend
from ..models.style_file import StyleFile
from ..stylizing.stylizer import Stylizer
from ..stylizing.thumbnails import make_thumbnails

MOST_PARTS = 8  # styles in a blend
CARD = ("license", "steps", "scores")


class UnknownStyleError(FastTransferError):
    """A style that the service does not offer."""


class OfferedStyles:
    """Styles by name, and blends of them; safe to call from any number of threads.

    Args:
        styles: what is offered, with names that differ.
        make_stylizer: makes a ``Stylizer`` of a style.
        loaded: most stylizers that are kept.
    """

    def __init__(
        self,
        styles: Sequence[StyleFile | StyleMixture],
        make_stylizer: Callable[[StyleFile | StyleMixture], Stylizer],
        loaded: int,
    ) -> None:
        self._styles = {style.name: style for style in styles}
        self._make = make_stylizer
        self._most = loaded
        self._ready: OrderedDict[str, Stylizer] = OrderedDict()
        self._thumbnails: dict[str, bytes] = {}
        self._lock = threading.Lock()

    @property
    def names(self) -> list[str]:
        """Of the styles, in the order they were given."""
        return [*self._styles]

    def cards(self) -> list[dict[str, Any]]:
        """What is known of each style: its name, license, steps, and scores."""
        return [
            {"name": name} | {key: style.metadata[key] for key in CARD if key in style.metadata}
            for name, style in self._styles.items()
        ]

    def stylizer(self, asked: str) -> Stylizer:
        """The stylizer of a style, or of a blend such as ``mosaic:0.6,udnie:0.4``.

        Raises:
            UnknownStyleError: one that is not offered.
            FastTransferError: weights that cannot be used.
        """
        with self._lock:  # so that two requests do not prepare one network twice
            if asked not in self._ready:
                self._ready[asked] = self._make(self._style(asked))
            self._ready.move_to_end(asked)
            while len(self._ready) > self._most:
                self._ready.popitem(last=False)
            return self._ready[asked]

    def thumbnail(self, name: str) -> bytes:
        """A small JPEG of a bundled photo in a style.

        Raises:
            UnknownStyleError: one that is not offered.
        """
        self._offered(name)
        if name not in self._thumbnails:
            [self._thumbnails[name]] = make_thumbnails([self.stylizer(name)])
        return self._thumbnails[name]

    def _style(self, asked: str) -> StyleFile | StyleMixture:
        if asked in self._styles:
            return self._styles[asked]
        weights: Mapping[str, float] = dict(parse_blend(asked) or [(asked, 1.0)])
        if len(weights) > MOST_PARTS:
            raise FastTransferError(f"a blend may have {MOST_PARTS} styles, not {len(weights)}")
        parts = [(self._offered(name), weight) for name, weight in weights.items()]
        if len(parts) == 1:
            return parts[0][0]
        mixed = [(style, weight) for style, weight in parts if isinstance(style, StyleFile)]
        if len(mixed) < len(parts):
            raise FastTransferError("a blend cannot have other blends in it")
        return blend(mixed)

    def _offered(self, name: str) -> StyleFile | StyleMixture:
        if name not in self._styles:
            hint = did_you_mean(name, self._styles)
            advice = hint or f"it has {', '.join(self.names[:8])}, …"
            raise UnknownStyleError(f"this service has no style '{name}'; {advice}")
        return self._styles[name]
