"""Train feed-forward style networks; stylize pictures in a single forward pass.

Three lines are enough:

    import fasttransfer as ft
    ft.stylize("photo.jpg", style="starry_night").save("stylized.png")
    style = ft.load("starry_night")  # then style(picture), as often as you like
"""

import os
from typing import TYPE_CHECKING

from .core.lazy import lazy

if TYPE_CHECKING:
    from .api import Style, blend, load, styles, stylize, train
    from .core.errors import FastTransferError

    __version__: str

__all__ = [
    "FastTransferError",
    "Style",
    "__version__",
    "blend",
    "load",
    "styles",
    "stylize",
    "train",
]

# OpenMP reads these when torch is imported. Its threads would otherwise spin for long while they wait
# for each other, and whatever else runs on the machine then costs a step several times its own share;
# but to be woken each time costs a quarter of it. A thousand turns are what most waits take (a step on
# two idle cores: 132 ms with long spins, 173 with none, 139 so; beside a busy process: 409, 290, 328).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

_public = lazy(
    __name__,
    {
        "FastTransferError": "core.errors",
        "Style": "api.style",
        "blend": "api.style",
        "load": "api.style",
        "styles": "api.cards",
        "stylize": "api.once",
        "train": "api.training",
    },
)


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("fasttransfer")
    return _public(name)
