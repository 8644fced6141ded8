"""Damaged files and requests: done, done and called damaged, or refused; never anything else.

``benchmarks/fuzz.py`` does the same with more of them, and any single one again.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from .kinds import KINDS, Fuzzer
from .mutations import mutate, mutate_text
from .requests import AT_ONCE, serving
from .sandbox import GOOD, Sandbox

COUNTS = {"pictures": 8, "clips": 6, "volumes": 6, "styles": 8, "runs": 4}
REQUESTS = 100
FIRST = 1_000_000  # not the numbers of benchmarks/fuzz.py


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[dict[str, Sandbox]]:
    """A process for each command: most of the time would go into their imports."""
    started = {command: Sandbox(command) for command in ("infer", "train")}
    yield started
    for sandbox in started.values():
        sandbox.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_damaged_files(name: str, tmp_path: Path, sandboxes: dict[str, Sandbox]) -> None:
    fuzzer = Fuzzer(name, tmp_path, sandboxes[KINDS[name].command])
    for number in range(FIRST, FIRST + COUNTS[name]):
        outcome = fuzzer.run(number)
        assert outcome.name in GOOD, f"{number}: {outcome.name}\n{outcome.text}"


@pytest.mark.slow
def test_damaged_requests(tmp_path: Path) -> None:
    numbers = range(FIRST, FIRST + REQUESTS)
    with serving(tmp_path) as server, ThreadPoolExecutor(AT_ONCE) as pool:
        before = server.megabytes()
        for number, outcome in zip(numbers, pool.map(server.run, numbers), strict=True):
            assert outcome.name in GOOD, f"{number}: {outcome.name}\n{outcome.text}"
        assert server.answers()
        assert server.megabytes() < before + 200
    places = {path.name for path in tmp_path.iterdir()}
    assert places <= {"wood.safetensors", "ink.safetensors", "out"}


def test_numbers_give_the_same_damage_again() -> None:
    data, text = bytes(range(256)) * 4, "network:\n  channels: [4, 8]\n  blocks: 1\n"
    for number in range(50):
        assert mutate(data, [data], Random(number)) == mutate(data, [data], Random(number))
        assert mutate_text(text, Random(number)) == mutate_text(text, Random(number))
    assert len({mutate(data, [data], Random(number)) for number in range(50)}) > 40
