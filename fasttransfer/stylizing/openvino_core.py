"""The one OpenVINO runtime of this process."""

import threading
from typing import Any

from ..core.errors import FastTransferError, brief
from ..core.libraries import require

_lock = threading.Lock()
_cores: list[Any] = []


def openvino_core(purpose: str) -> Any:
    """OpenVINO's ``Core``, the same one as long as the process lives.

    Its CPU plugin gives signal handlers of the thread that loads it a stack of their own, and frees
    that stack with the last object that uses the plugin. Where another thread lets go of that object,
    the next signal, such as Ctrl-C, would end the process. So the plugin stays.

    Args:
        purpose: the setting that requires OpenVINO, for a message.

    Raises:
        FastTransferError: it is not installed, or cannot be loaded.
    """
    openvino = require("openvino", "fast", purpose)
    with _lock:
        if not _cores:
            try:
                core = openvino.Core()
                core.get_property("CPU", "FULL_DEVICE_NAME")  # loads the plugin
            except Exception as error:  # its telemetry, for one, looks for a home
                raise FastTransferError(
                    f"OpenVINO cannot be loaded ({brief(error)}); write engine=torch"
                ) from error
            _cores.append(core)
        return _cores[0]
