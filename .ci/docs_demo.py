"""Puts an exported page with two styles into the documentation, where the extra ``web`` is installed.

A hook of MkDocs. The page is made when the documentation is built, so that it is not in the repository.
"""

import logging
from pathlib import Path
from typing import Any

from fasttransfer.core.errors import FastTransferError
from fasttransfer.stylizing.stylizer import Stylizer
from fasttransfer.web.runtime import runtime_files
from fasttransfer.web.site import export_site

STYLES = ("mosaic_realtime", "udnie_realtime")
FOLDER = "demo"  # of the documentation
MARK = "<!-- demo -->"
FRAME = f"""<iframe src="../{FOLDER}/" title="The page, with two styles" loading="lazy"
allow="camera; fullscreen" width="100%" height="720" style="border: 0; border-radius: 12px"></iframe>

<a href="../{FOLDER}/">Open it in a window of its own</a>, where it has threads."""

log = logging.getLogger("mkdocs.hooks.demo")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page's frame in place of its mark, or nothing."""
    if MARK not in markdown:
        return markdown
    return markdown.replace(MARK, FRAME if _is_possible() else "")


def on_post_build(config: Any, **_: Any) -> None:
    """Writes the page beside the documents."""
    if _is_possible():
        folder = Path(config["site_dir"]) / FOLDER
        export_site([Stylizer(name) for name in STYLES], str(folder), runtime=None, overwrite=True)


def _is_possible() -> bool:
    try:
        runtime_files(None)
    except FastTransferError as error:
        log.info("the documentation has no live page: %s", error)
        return False
    return True
