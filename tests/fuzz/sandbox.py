"""Runs a command in processes of its own, within limits, and says how it ended.

One process imports the command and forks for each call, which saves seconds a call:
``python -m tests.fuzz.sandbox infer`` reads calls as lines of JSON.
"""

import hashlib
import importlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MEMORY = 1_500_000_000  # bytes of address space beyond what the imports take
CPU_SECONDS = 10
SLEEP_SECONDS = 30  # without any work: a machine that does other things is slow, but not so slow
GOOD = ("ok", "refused", "damaged")  # damaged: done, and said so
BAD = ("crash", "hang", "escaped")  # escaped: wrote outside of the output folder
CODE_OF_A_CRASH = 70


@dataclass(frozen=True)
class Outcome:
    """How a call ended: one of ``GOOD`` or ``BAD``, what it printed, its memory, and its CPU time."""

    name: str
    text: str
    megabytes: float
    seconds: float


class Sandbox:
    """Calls ``infer.py`` or ``train.py`` in forked processes."""

    def __init__(self, command: str) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", __name__, command],
            cwd=Path(__file__).parents[2],
            env=os.environ | {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", "COLUMNS": "200"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, folder: Path, arguments: list[str], output: str) -> Outcome:
        """Calls the command in ``folder``, where only ``output`` may change."""
        for name in ("tmp", "home"):
            (folder / name).mkdir()
        before = _contents(folder, output)
        call = {"folder": str(folder), "arguments": arguments}
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(call) + "\n")
        self._server.stdin.flush()
        ended = json.loads(self._server.stdout.readline())
        text = (folder.parent / f"{folder.name}.txt").read_text(errors="backslashreplace")
        if ended["hang"]:
            name = "hang"
        elif _contents(folder, output) != before:
            name = "escaped"
        else:
            name = _judge(ended["code"], text)
        return Outcome(name, text, ended["megabytes"], ended["seconds"])

    def close(self) -> None:
        """Ends the process that forks."""
        self._server.kill()
        self._server.communicate()


def _judge(code: int, text: str) -> str:
    if code not in (0, 1, 2) or "Traceback (most recent call last)" in text or "\x1b" in text:
        return "crash"
    if "done, but damaged" in text:
        return "damaged"
    if code == 0:
        return "ok"
    return "refused" if re.search(r"\w", text) else "crash"


def _contents(folder: Path, output: str) -> dict[str, str]:
    """Digests of all files but those of the output."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name != output and not name.startswith(f"{output}/"):
            is_file = path.is_file() and not path.is_symlink()
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if is_file else "no file"
    return found


def _serve(name: str) -> None:
    main = importlib.import_module(f"fasttransfer.cli.{name}").main
    for module in IMPORTS[name]:
        importlib.import_module(module)
    for line in sys.stdin:
        call = json.loads(line)
        child = os.fork()
        if not child:
            _call(main, Path(call["folder"]), call["arguments"])
        status, usage, late = _wait(child)
        hang = late or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU)
        ended = {
            "code": os.waitstatus_to_exitcode(status),
            "hang": hang,
            "seconds": usage.ru_utime + usage.ru_stime,
            "megabytes": usage.ru_maxrss / 1024,
        }
        print(json.dumps(ended), flush=True)


IMPORTS = {
    "infer": (
        "torch",
        "PIL.Image",
        "av",
        "nibabel",
        "safetensors.torch",
        "fasttransfer.pipeline.media",
        "fasttransfer.volumes.stylizing",
        "fasttransfer.stylizing.stylizer",
    ),
    "train": (
        "torch",
        "pytorch_lightning",
        "tensorboard",
        "fasttransfer.training.module",
        "fasttransfer.training.callbacks",
        "fasttransfer.losses.perceptual",
    ),
}


def _wait(child: int) -> tuple[int, resource.struct_rusage, bool]:
    """Its status, what it used, and whether it slept for too long."""
    ticks, since = 0, time.monotonic()
    while True:
        pid, status, usage = os.wait4(child, os.WNOHANG)
        if pid:
            return status, usage, False
        fields = Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()
        if (used := int(fields[11]) + int(fields[12])) != ticks:
            ticks, since = used, time.monotonic()
        if time.monotonic() - since > SLEEP_SECONDS:
            os.killpg(child, signal.SIGKILL)
            _, status, usage = os.wait4(child, 0)
            return status, usage, True
        time.sleep(0.02)


def _call(main: Callable[[], None], folder: Path, arguments: list[str]) -> None:
    """Never returns: what a forked process does."""
    code: object = CODE_OF_A_CRASH
    try:
        os.setpgid(0, 0)
        os.chdir(folder)
        printed = os.open(folder.parent / f"{folder.name}.txt", os.O_CREAT | os.O_WRONLY, 0o600)
        for descriptor in (1, 2):
            os.dup2(printed, descriptor)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ |= {"TMPDIR": str(folder / "tmp"), "HOME": str(folder / "home")}
        used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        sys.argv[1:] = arguments
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code or 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else CODE_OF_A_CRASH)


if __name__ == "__main__":
    _serve(sys.argv[1])
