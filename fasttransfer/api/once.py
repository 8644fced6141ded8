"""A picture stylized in one call."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..models.style_file import find_style
from .style import Style, load

if TYPE_CHECKING:
    from typing_extensions import Unpack  # of Python 3.11

    from .options import CallOptions
    from .style import Named

_KEPT_LOADED = 4  # styles that ``stylize`` has ready for its next call


def stylize(
    content: Any,
    style: Style | Named | Mapping[Any, float],
    mask: Any = None,
    **options: Unpack[CallOptions],
) -> Any:
    """Stylizes one picture, a batch, or a list: ``load(style, **options)(content, mask)``.

    Args:
        content: a path, PIL image, array, tensor, or list, see ``Style.__call__``.
        style, **options: see ``load``. The last few styles stay loaded.
        mask: where it is stylized, with mask_feather and mask_invert; see ``Style.__call__``.

    Returns:
        The same kind as ``content``; for a path a PIL image.

    Raises:
        FastTransferError: see ``load`` and ``Style.__call__``.

    >>> import fasttransfer as ft
    >>> from PIL import Image
    >>> photo = Image.new("RGB", (64, 48), "orange")
    >>> ft.stylize(photo, style="mosaic", engine="torch").size
    (64, 48)
    """
    call: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for name, value in options.items():
        is_mask = name == "strength" and not isinstance(value, int | float)
        (call if is_mask or name.startswith("mask_") else own)[name] = value
    loaded: Style | None = None
    if isinstance(style, str | os.PathLike) and "," not in os.fspath(style):
        path = find_style(style)
        state = path.stat()
        key = (str(path), state.st_mtime_ns, state.st_size)
        # An option that cannot be a key cannot be used either.
        with contextlib.suppress(TypeError):
            loaded = _loaded(key, tuple(sorted(own.items())))
    return (loaded or load(style, **own))(content, mask, **call)


@lru_cache(maxsize=_KEPT_LOADED)
def _loaded(file: tuple[str, int, int], options: tuple[tuple[str, Any], ...]) -> Style:
    return load(file[0], **dict(options))
