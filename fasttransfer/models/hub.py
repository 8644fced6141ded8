"""Styles that others share: ``hub:user/style``, or ``hub:user/style@revision``, by huggingface_hub.

The library keeps what it downloads, finds tokens, and works without a network (``HF_HUB_OFFLINE=1``) by
its own rules. Only the style file is downloaded, and it is read like any other: it runs no code.
"""

import re
from pathlib import Path

from ..core.errors import FastTransferError, brief
from ..core.libraries import require

PREFIX = "hub:"
EXTRA = "hub"
FILE = "style.safetensors"
_PLACE = re.compile(r"hub:(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?", re.ASCII)
_CACHED = "models--"  # how the library calls the folder of a repository


def is_shared(name: str) -> bool:
    """Whether a name is that of a shared style."""
    return name.startswith(PREFIX)


def place(name: str) -> tuple[str, str | None]:
    """The repository and the revision, or None, in ``hub:user/style@revision``.

    Raises:
        FastTransferError: another form.
    """
    found = _PLACE.fullmatch(name)
    if found is None:
        raise FastTransferError(
            f"'{name}' must be hub:user/style, or hub:user/style@revision, with the name of a user or "
            "an organization."
        )
    return found["repo"], found["revision"]


def download(name: str) -> Path:
    """The style file behind a name, downloaded unless it is here already.

    Raises:
        FastTransferError: another form, no such style, no network, no permission, or huggingface_hub is
            not installed.
    """
    repo, revision = place(name)
    library = require("huggingface_hub", EXTRA, f"style={name}")
    try:
        return Path(library.hf_hub_download(repo, FILE, revision=revision))
    except (OSError, ValueError, library.errors.EntryNotFoundError) as error:
        raise FastTransferError(f"'{name}' cannot be downloaded: {reason(error)}") from error


def reason(error: Exception) -> str:
    """What the library's exception says, without its advice."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "LocalEntryNotFoundError" in kinds or "OfflineModeIsEnabled" in kinds:
        return "it is not on this machine yet, and there is no network."
    if "RevisionNotFoundError" in kinds:
        return "it has no such revision."
    if "GatedRepoError" in kinds:
        return "its owner has to admit you first; visit its page and log in."
    if "RepositoryNotFoundError" in kinds:
        return "there is no such style, or it is private (log in with: hf auth login)."
    if "EntryNotFoundError" in kinds:
        return f"it has no file {FILE}."
    return brief(error)[:200]


def shared_name(file: Path) -> str | None:
    """``user-style`` of a file that was downloaded; None for others."""
    for folder in file.absolute().parents:
        user, _, style = folder.name.removeprefix(_CACHED).partition("--")
        if folder.name.startswith(_CACHED) and style:
            return f"{user}-{style}"
    return None
