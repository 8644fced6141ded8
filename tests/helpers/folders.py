"""Folders as systems have them and tests hardly."""

import os
from pathlib import Path


def nest_too_deep(folder: Path) -> None:
    """Makes folders within folders until the system takes no longer path.

    The last one cannot be listed, by nobody: tests may run as root, who may read everything.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    name = "d" * 250
    for _ in range(os.pathconf(folder, "PC_PATH_MAX") // len(name) + 1):
        os.mkdir(name, dir_fd=descriptor)
        deeper = os.open(name, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = deeper
    os.close(descriptor)
