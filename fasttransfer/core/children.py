"""Python processes that this one starts."""

import os
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2]  # where this process found the package


def python_command(module: str) -> list[str]:
    """Runs a module of the package; wants ``child_environment``."""
    return [sys.executable, "-m", module]


def child_environment() -> dict[str, str]:
    """The environment in which a child imports what this process did.

    ``python -m`` looks for every module in the current folder first. That folder may have come with
    somebody's photos, so it is left out (from Python 3.11 on).
    """
    environment = dict(os.environ) | {"PYTHONSAFEPATH": "1"}
    if _PACKAGE.name not in ("site-packages", "dist-packages"):  # which have their place already
        paths = [str(_PACKAGE), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return environment
