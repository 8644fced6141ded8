"""Libraries that are not part of the core: loaded when they are needed, named when they are missing."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from .errors import FastTransferError


def is_installed(module: str) -> bool:
    """Whether a library is installed, without loading it."""
    return find_spec(module) is not None


def require(module: str, extra: str, purpose: str) -> ModuleType:
    """Loads a library that the extra of that name installs.

    Args:
        module: as in an import statement.
        extra: of this package.
        purpose: what needs it, as the subject of a sentence.

    Raises:
        FastTransferError: it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise FastTransferError(not_installed(purpose, str(error.name), extra)) from error


def not_installed(purpose: str, library: str, extra: str) -> str:
    """The sentence for a person: what needs the library, and the extra that brings it."""
    return (
        f"{purpose} needs {library}, which is not installed; install it with "
        f'python -m pip install "fasttransfer[{extra}]"'
    )
