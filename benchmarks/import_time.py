"""Measures the import time of the inference path, against that of Lightning.

Every import is measured in a fresh process, the candidates in turn, so that a busy machine slows
them all equally. PyTorch alone is the floor: the inference path requires it, and Lightning imports it,
too. `fasttransfer.cli.infer` determines how long --help and errors take; it imports PyTorch only when
the first style is loaded.

    python benchmarks/import_time.py [--rounds 7]
"""

import argparse
import json
import statistics
import subprocess
import sys

from machine import describe
from rich.console import Console
from rich.table import Table

PATH = ("infer", "stylize", "media", "checkpoint")
CANDIDATES = {
    "lightning": "pytorch_lightning",
    "torch": "torch",
    "inference_path": ", ".join(f"fasttransfer.{module}" for module in PATH),
    "command": "fasttransfer.cli.infer",
}


def seconds(modules: str) -> float:
    code = f"import time; t = time.perf_counter(); import {modules}; print(time.perf_counter() - t)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


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
    figures = {f"{name}_seconds": round(value, 3) for name, value in medians.items()}
    figures |= {"ratio": round(ratio, 3), "rounds": rounds}
    print(json.dumps({"benchmark": "import_time", **figures, "machine": describe()}))


if __name__ == "__main__":
    main()
