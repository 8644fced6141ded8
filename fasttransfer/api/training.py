"""Training from Python."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString

from ..cli.program import literal
from ..core.children import child_environment, python_command
from ..core.errors import FastTransferError
from ..core.files import fresh_folder
from ..core.paths import expand_user
from ..models.style_file import safe_name
from .style import Style, load

_COMMAND = "fasttransfer.cli.train"  # the module that `python train.py` runs
_STOPPED = (130, 143)  # exit codes of a run that Ctrl-C or SIGTERM ended, with everything saved


def train(
    painting: str | os.PathLike[str],
    *,
    photos: str | os.PathLike[str] | None = None,
    budget: str | None = "5m",
    run_dir: str | os.PathLike[str] | None = None,
    **overrides: Any,
) -> Style:
    """Trains a style, as ``fasttransfer train`` does, and returns it.

        style = ft.train("painting.jpg", photos="photos/", budget="5m")
        style("photo.jpg").save("stylized.png")

    The training is a process of its own, so that a script needs no ``if __name__ == "__main__":`` and
    gets back all memory. Its progress appears on stderr.

    Args:
        painting: a picture file, or the name of a bundled style image.
        photos: a folder of photos to train on; None takes the bundled ones.
        budget: training time such as ``"5m"`` or ``"1h"``; ``"full"`` takes all steps; None leaves it
            to ``trainer.max_steps``.
        run_dir: a new folder for the run; None is ``runs/PAINTING-DATE``.
        **overrides: any other setting of ``conf/train.yaml``, such as ``network="realtime"`` or
            ``**{"style.size": 768}``.

    Returns:
        The style, loaded from the run folder.

    Raises:
        FastTransferError: a setting that cannot be used, or a training that failed; one sentence.
        KeyboardInterrupt: Ctrl-C; the run is saved first, and can be resumed.
    """
    settings: dict[str, Any] = {"style.path": os.fspath(painting), "budget": budget}
    if photos is not None:
        settings["data.root"] = os.fspath(photos)
    folder = _folder(painting) if run_dir is None else expand_user(os.fspath(run_dir))
    settings |= {"run_dir": str(folder), **overrides}
    words = [f"{name}={_typed(value)}" for name, value in settings.items()]
    code, last = _run([*python_command(_COMMAND), *words])
    if code in _STOPPED:
        raise KeyboardInterrupt
    if code != 0:
        raise FastTransferError(last or f"The training ended with exit code {code}.")
    return load(folder)


def _folder(painting: str | os.PathLike[str]) -> Path:
    date = time.strftime("%Y%m%d-%H%M%S")
    return fresh_folder(Path("runs") / f"{safe_name(Path(os.fspath(painting)).stem)}-{date}")


def _run(command: list[str]) -> tuple[int, str]:
    """The exit code of a command, and the last line it printed; its stderr is passed on."""
    last = ""
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        # What it prints is read as UTF-8, whatever a system's encoding is.
        env=child_environment() | {"PYTHONIOENCODING": "utf-8:backslashreplace"},
    )
    with process:
        assert process.stderr is not None
        while True:
            try:
                for line in process.stderr:
                    last = line.strip() or last
                    print(line, end="", file=sys.stderr, flush=True)
                break
            except KeyboardInterrupt:  # it has got the signal too, and is saving the run
                continue
    return process.returncode, last


def _typed(value: object) -> str:
    """A value as it is typed after ``setting=``."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_typed, value))}]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_typed(item)}" for key, item in value.items()) + "}"
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else str(value)
    return QuotedString(str(literal(text)), Quote.single).with_quotes()
