"""Starts the service; loads nothing heavy before it has to."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..core.libraries import require

if TYPE_CHECKING:
    from ..models.blending import StyleMixture
    from ..models.style_file import StyleFile
    from ..stylizing.stylizer import Stylizer
    from .settings import ServiceSettings

_EXTRA = "serve"


def run_service(
    styles: "Sequence[StyleFile | StyleMixture]",
    make_stylizer: "Callable[[StyleFile | StyleMixture], Stylizer]",
    settings: "ServiceSettings",
) -> None:
    """Serves styles over HTTP until Ctrl-C or SIGTERM.

    Args:
        styles: at least one.
        make_stylizer: makes a ``Stylizer`` of a style.
        settings: see there.

    Raises:
        FastTransferError: a library that is missing, or no free port.
    """
    for module in (
        "fastapi",
        "uvicorn",
        "python_multipart",
        "prometheus_client",
        "fastapi_offline",
    ):
        require(module, _EXTRA, "fasttransfer serve")
    from .server import serve
    from .styles import OfferedStyles

    serve(OfferedStyles(styles, make_stylizer, settings.loaded), settings)
