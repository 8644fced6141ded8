"""Styles as a page that needs no server: the visitor's browser computes everything."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .site import export_site

__all__ = ["export_site"]

__getattr__ = lazy(__name__, {"export_site": "site"})
