"""How a person or a job manager stops a run: by a signal, after the step that is under way."""

import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

# Ctrl-C; what job managers send; a terminal that was closed. Windows has no SIGHUP.
STOPPING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class StopRequest:
    """Notes the first signal; a second one ends the process at once.

    Attributes:
        signal: the first, if one has come.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._previous: dict[signal.Signals, Any] = {}

    def take_over(self) -> None:
        """Notes signals from here on. May be called again, where others have taken them meanwhile."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in STOPPING:
            before = signal.getsignal(number)
            if before == signal.SIG_IGN and number != signal.SIGINT:  # as nohup ignores SIGHUP
                continue
            self._previous.setdefault(number, before)
            signal.signal(number, self._note)

    def give_back(self) -> None:
        """Signals do again what they did before."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()

    def _note(self, number: int, _: FrameType | None) -> None:
        if self.signal is not None:
            print("\nstopped at once", file=sys.stderr)
            os._exit(128 + number)
        self.signal = signal.Signals(number)
