"""Opens damaged files and sends damaged requests, and counts how that ended.

    python benchmarks/fuzz.py                                    1,000 of each kind
    python benchmarks/fuzz.py --kinds pictures --first 17 --count 1 --keep /tmp/fuzz    one again

Needs Linux, and the checkout's folder in ``PYTHONPATH``: tests/fuzz has the generators. What ends in
a crash, a hang, or a file outside of the output folder stays in ``--keep`` with all that was printed.
"""

import argparse
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz.kinds import KINDS, Fuzzer
from tests.fuzz.requests import AT_ONCE, serving
from tests.fuzz.sandbox import BAD, GOOD

NAMES = (*KINDS, "requests")


def fuzz_files(name: str, numbers: range, folder: Path) -> tuple[Counter[str], float, float]:
    """Opens files of one kind: counts of outcomes, most megabytes, and most seconds."""
    counts: Counter[str] = Counter()
    megabytes = seconds = 0.0
    fuzzer = Fuzzer(name, folder)
    try:
        for number in numbers:
            outcome = fuzzer.run(number)
            counts[outcome.name] += 1
            megabytes = max(megabytes, outcome.megabytes)
            seconds = max(seconds, outcome.seconds)
            if outcome.name in BAD:
                last = outcome.text.strip().splitlines()[-1:] or [""]
                print(f"{name} {number}: {outcome.name}: {last[0][:200]}", flush=True)
    finally:
        fuzzer.close()
    return counts, megabytes, seconds


def fuzz_requests(numbers: range, folder: Path) -> tuple[Counter[str], float, float]:
    """Sends requests to one server: counts, megabytes at the end, and most seconds."""
    counts: Counter[str] = Counter()
    seconds = 0.0
    folder.mkdir(parents=True)
    with serving(folder) as server, ThreadPoolExecutor(AT_ONCE) as pool:
        for number, outcome in zip(numbers, pool.map(server.run, numbers), strict=True):
            counts[outcome.name] += 1
            seconds = max(seconds, outcome.seconds)
            if outcome.name in BAD:
                print(f"requests {number}: {outcome.name}: {outcome.text}", flush=True)
        if not server.answers():
            print("the page no longer answers", flush=True)
            counts["crash"] += 1
        return counts, server.megabytes(), seconds


def table(rows: dict[str, tuple[Counter[str], float, float]]) -> str:
    """Markdown, a line for each kind."""
    lines = [f"| inputs | {' | '.join((*GOOD, *BAD))} | most MB | most s |"]
    lines.append("|---" * (len(GOOD) + len(BAD) + 3) + "|")
    for name, (counts, megabytes, seconds) in rows.items():
        cells = [f"{counts.total()} {name}"] + [str(counts[key]) for key in (*GOOD, *BAD)]
        lines.append(f"| {' | '.join(cells)} | {megabytes:.0f} | {seconds:.1f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kinds", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--keep", type=Path, help="a new folder for inputs that ended badly")
    options = parser.parse_args()
    numbers = range(options.first, options.first + options.count)
    folder = options.keep or Path(tempfile.mkdtemp(prefix="fuzz-"))
    rows = {}
    for name in options.kinds:
        place = folder / name
        is_files = name != "requests"
        rows[name] = fuzz_files(name, numbers, place) if is_files else fuzz_requests(numbers, place)
        print(table({name: rows[name]}), flush=True)
    print(table(rows))
    if any(counts[key] for counts, _, _ in rows.values() for key in BAD):
        sys.exit(f"inputs that ended badly are in {folder}")


if __name__ == "__main__":
    main()
