"""Shares a style with others: ``fasttransfer push``."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..core.errors import FastTransferError
from ..core.files import write_whole
from ..core.libraries import require
from ..core.scratch import scratch_folder
from ..models.hub import EXTRA, FILE, place, reason
from ..models.style_file import StyleFile, find_style, load_style, save_style
from ..stylizing.stylizer import Stylizer
from ..stylizing.thumbnails import make_thumbnails

CARD = "README.md"
PREVIEW = "preview.jpg"
TAGS = ["style-transfer", "neural-style-transfer", "fasttransfer"]
# Of the scores, those that say something without the others.
_SHOWN = {
    "balanced_content": "change of content",
    "balanced_style": "distance to the painting",
    "checkerboard": "grid (1 is none)",
}


def push(style: str, to: str, private: bool) -> str:
    """Uploads a style with a card and a preview, as one commit.

    Args:
        style: a bundled name, a style file, or a run folder.
        to: ``hub:user/style``; it is made if there is none.
        private: whether only its owner sees it, where it is made.

    Returns:
        The address of the commit.

    Raises:
        FastTransferError: no such style, another form, no permission, or no network.
    """
    repo, revision = place(to)
    if revision is not None:
        raise FastTransferError(f"'{to}' names a revision; leave out @{revision}.")
    library = require("huggingface_hub", EXTRA, "fasttransfer push")
    path = find_style(style)
    style_file = load_style(path)
    with scratch_folder() as folder:
        write_parts(folder, path, style_file, repo)
        api = library.HfApi()
        try:
            api.create_repo(repo, private=private, exist_ok=True)
            message = f"Add the style {style_file.name}"
            commit = api.upload_folder(repo_id=repo, folder_path=folder, commit_message=message)
        except (OSError, ValueError) as error:
            raise FastTransferError(f"'{to}' cannot be uploaded: {reason(error)}") from error
    return str(commit.commit_url)


def write_parts(folder: Path, path: Path, style: StyleFile, repo: str) -> None:
    """Writes what is uploaded: the style file, its card, and a preview.

    Args:
        folder: where they go.
        path: of the style.
        style: what it holds.
        repo: what the style will be called by others.
    """
    if path.suffix == ".safetensors":
        shutil.copyfile(path, folder / FILE)
    else:  # a checkpoint
        save_style(folder / FILE, style.network, style.metadata)
    [thumbnail] = make_thumbnails([Stylizer(style)])
    text = model_card(style.name, style.metadata, repo)
    write_whole(folder / PREVIEW, lambda file: file.write(thumbnail))
    write_whole(folder / CARD, lambda file: file.write(text.encode("utf-8", "replace")))


def model_card(name: str, metadata: Mapping[str, Any], repo: str) -> str:
    """The page of a style: how it looks, what is known of it, and how to use it, in Markdown."""
    license = str(metadata.get("license", "not stated"))
    known = license.lower() if license in ("CC0-1.0", "CC-BY-4.0") else "other"
    head = {
        "license": known,
        "library_name": "fasttransfer",
        "pipeline_tag": "image-to-image",
        "tags": TAGS,
    }
    facts = {"style image": license, "steps of training": metadata.get("steps")}
    scores = metadata.get("scores")
    if isinstance(scores, Mapping):
        facts |= {label: scores.get(key) for key, label in _SHOWN.items()}
    rows = [f"| {label} | {_cell(value)} |" for label, value in facts.items() if value is not None]
    lines = [
        f"---\n{yaml.safe_dump(head, sort_keys=False)}---",
        f"# {_cell(name)}",
        f"![A photo in this style]({PREVIEW})",
        "A style of fasttransfer: a small network that stylizes a picture in a single forward pass.",
        "\n".join(["| | |", "|---|---|", *rows]),
        f'```\npython -m pip install "fasttransfer[{EXTRA},fast]"\n'
        f"fasttransfer stylize photo.jpg --style hub:{repo}\n```",
    ]
    return "\n\n".join(lines) + "\n"


def _cell(value: object) -> str:
    """A value for a table: without what Markdown or HTML would read as more than text."""
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return " ".join("".join(c for c in text if c not in "|<>[]`*\\").split())
