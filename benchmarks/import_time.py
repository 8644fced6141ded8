"""Measures the import time of the inference path, against that of Lightning.

Every import is measured in a fresh process, the candidates in turn, so that a busy machine slows
them all equally. PyTorch alone is the floor: the inference path requires it, and Lightning imports it,
too. `fasttransfer.cli.main` determines how long --help takes, and `fasttransfer.cli.infer` how long
errors take; PyTorch is imported only when the first style is loaded. At the end, `fasttransfer --help`
is timed as a whole, beside Python alone.

    python benchmarks/import_time.py [--rounds 7]
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

from machine import describe
from rich.console import Console
from rich.table import Table

INFERENCE = ("cli.tasks", "stylizing.stylizer", "pipeline.media", "models.style_file")
CANDIDATES = {
    "lightning": "pytorch_lightning",
    "torch": "torch",
    "inference_path": ", ".join(f"fasttransfer.{module}" for module in INFERENCE),
    "command": "fasttransfer.cli.infer",
    "options": "fasttransfer.cli.main",
}


def seconds(modules: str) -> float:
    code = f"import time; t = time.perf_counter(); import {modules}; print(time.perf_counter() - t)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True
    )
    return float(done.stdout.splitlines()[-1])


def run_seconds(*arguments: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    for modules in CANDIDATES.values():
        seconds(modules)  # the first import reads from the disk
    times = {name: [] for name in CANDIDATES}  # type: dict[str, list[float]]
    for _ in range(rounds):
        for name, modules in CANDIDATES.items():
            times[name].append(seconds(modules))
    medians = {name: statistics.median(values) for name, values in times.items()}
    ratio = medians["inference_path"] / medians["lightning"]
    table = Table("import", "seconds (median)", "of Lightning", title=describe())
    for name, modules in CANDIDATES.items():
        share = medians[name] / medians["lightning"]
        table.add_row(modules, f"{medians[name]:.2f}", f"{share:.2f}")
    Console().print(table)
    for name, arguments in (("help", ("-m", "fasttransfer", "--help")), ("python", ("-c", "pass"))):
        medians[name] = statistics.median(run_seconds(*arguments) for _ in range(rounds))
        print(f"python {' '.join(arguments)}: {medians[name]:.2f} s")
    figures = {f"{name}_seconds": round(value, 3) for name, value in medians.items()}
    figures |= {"ratio": round(ratio, 3), "rounds": rounds}
    print(json.dumps({"benchmark": "import_time", **figures, "machine": describe()}))


if __name__ == "__main__":
    main()
