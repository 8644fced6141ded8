"""Files that a run can do without."""

import sys
from collections.abc import Callable
from pathlib import Path

from ..core.errors import brief


def tried(path: Path, write: Callable[[], object]) -> str | None:
    """Writes; a full disk does not end the training, but is named.

    Returns:
        What is wrong, in a sentence.
    """
    try:
        write()
    except OSError as error:
        problem = f"'{path}' cannot be written ({error.strerror or brief(error)})"
        print(f"{problem}; training continues without it.", file=sys.stderr)
        return f"{problem}; free some disk space and write it again with resume={path.parent}."
    return None
