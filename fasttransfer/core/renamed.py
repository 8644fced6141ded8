"""Names of the release before, which are still taken, with a notice."""

import re
import sys

_SLOW = (
    *("loss", "content_weight", "style_weight", "tv_weight", "weights", "method"),
    *("iterations", "history", "lr", "start", "coarsest", "intermediate", "every"),
)
_SETTINGS = {f"stylizer.{name}": f"slow.{name}" for name in _SLOW}
_SPELLINGS = {
    "colour": "color",
    "licence": "license",
    "artefact": "artifact",
    "optimiser": "optimizer",
}
STYLES = {"watercolour": "watercolor", "watercolour_realtime": "watercolor_realtime"}


def notice(old: str, new: str) -> None:
    """Prints to stderr that a name has changed."""
    print(f"{old} is now {new}; the old name will go", file=sys.stderr)


def current_setting(name: str) -> str:
    """The present name of a setting, such as ``style.license`` for ``style.licence``."""
    for old, new in _SPELLINGS.items():
        name = re.sub(rf"(?<![a-z]){old}", new, name)
    return _SETTINGS.get(name, name)


def current_style(name: str) -> str:
    """The present name of a bundled style or style image; a notice says so if it has changed."""
    if name in STYLES:
        notice(name, STYLES[name])
    return STYLES.get(name, name)
