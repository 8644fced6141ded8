"""Searches over real runs, as small as they can be."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig

from fasttransfer.cli.search import PROGRAM, main
from fasttransfer.core.errors import FastTransferError
from fasttransfer.training.callbacks import SCORES_FILE, read_scores
from fasttransfer.training.run_folder import is_complete
from fasttransfer.training.search import Search


def composed(*typed: str) -> DictConfig:
    return PROGRAM.configured(PROGRAM.parse(typed))


@pytest.fixture
def command(tiny_run: list[str]) -> list[str]:
    """Arguments for trials that take seconds."""
    settings = ",".join(
        f'"{setting}"' for setting in [*tiny_run, "callbacks.checkpoints.every_n_steps=1"]
    )
    return ["study=study", "reports=2", f"overrides=[{settings}]"]


@pytest.mark.slow
def test_a_stopped_search_goes_on_in_the_middle_of_a_run(
    tmp_path: Path, command: list[str]
) -> None:
    typed = [sys.executable, "-m", "fasttransfer.cli.search", "trials=1", *command]
    process = subprocess.Popen(typed, cwd=tmp_path, start_new_session=True)
    first = tmp_path / "study" / "runs" / "0000"
    until = time.monotonic() + 120
    while 10 not in read_scores(first / SCORES_FILE):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does; the run saves
    assert process.wait() == 130
    assert not is_complete(first)
    done = subprocess.run(typed, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "resume=study/runs/0000" in done.stdout
    assert list(read_scores(first / SCORES_FILE)) == [10, 20]
    assert is_complete(first)
    assert "best: python train.py budget=null" in done.stdout.splitlines()[-1]
    assert "optimizer.lr=" in done.stdout.splitlines()[-1]


@pytest.mark.slow
def test_a_run_that_promises_little_is_ended(
    tmp_path: Path,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    config = composed("trials=1", *command)
    config.pruner = {"_target_": "optuna.pruners.ThresholdPruner", "upper": 0}
    search = Search(config)
    search.run()
    assert "trial 0: ended early at" in capfd.readouterr().out
    assert search.summary() == "no trial has come to its end"
    folder = tmp_path / "study" / "runs" / "0000"
    assert list(read_scores(folder / SCORES_FILE)) == [10]
    assert not is_complete(folder)


@pytest.mark.slow
def test_a_run_that_fails_is_a_trial_too(
    tmp_path: Path,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    search = Search(composed("trials=1", *command, "space=[{name: optimizer.lr, choices: [1e30]}]"))
    search.run()
    printed = capfd.readouterr()
    assert "no longer a number" in printed.err
    assert printed.out.endswith("trial 0: failed\n")


def test_searches_share_the_trials_and_take_over_what_was_left(tmp_path: Path) -> None:
    one, other = (Search(composed(f"study={tmp_path}", "trials=2")) for _ in range(2))
    first, second = one.claim(), other.claim()
    assert first
    assert second
    assert [first[0].number, second[0].number] == [0, 1]
    assert one.claim() is None
    first[1].release()  # as when its process ends
    again = other.claim()
    assert again
    assert again[0].number == 0
    assert again[0].params == first[0].params


def test_a_seed_gives_the_same_trials_but_not_twice(tmp_path: Path) -> None:
    def asked(folder: str, number: int) -> list[dict]:
        search = Search(composed(f"study={tmp_path / folder}", "sampler.seed=1"))
        return [search.study.ask(search.space).params for _ in range(number)]

    assert asked("a", 2) == asked("b", 2)
    assert asked("a", 2) != asked("c", 2)


@pytest.mark.parametrize(
    "other",
    ["objective=johnson_total", "overrides=[style=woodcut]", "space=[{name: a, low: 1, high: 2}]"],
)
def test_what_does_not_compare_is_another_study(tmp_path: Path, other: str) -> None:
    Search(composed(f"study={tmp_path}"))
    with pytest.raises(FastTransferError, match="give another study= folder"):
        Search(composed(f"study={tmp_path}", other))


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("trials=0", "trials=0 must be"),
        ("steps=1h", "steps=1h must be"),
        ("space=[{name: optimizer.lr, low: 2, high: 1}]", "space has {'name': 'optimizer.lr'"),
        ("space=[optimizer.lr]", "expected {name: x, low: a, high: b}"),
        ("space=[]", "space=[] must be a list"),
        ("space=null", "space=null must be a list"),
        pytest.param(
            "overrides=[style.path=none.jpg]",
            "train.py refused the settings of trial 0",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_mistakes_are_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["tune", typed])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_whole_numbers_and_choices_are_searched_as_such(tmp_path: Path) -> None:
    numbers = "{name: a, low: 8, high: 64, step: 8}, {name: c, low: 1, high: 4}"
    space = f"space=[{numbers}, {{name: b, choices: [x, y]}}]"
    search = Search(composed(f"study={tmp_path}", space))
    for _ in range(8):
        found = search.study.ask(search.space).params
        assert found["a"] % 8 == 0
        assert found["b"] in ("x", "y")
        assert 1 <= found["c"] <= 4


def test_locks_of_killed_processes_are_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Optuna's own lock, a link, leads nowhere in a study of a relative name."""
    monkeypatch.chdir(tmp_path)
    Search(composed("study=study", "trials=1"))
    os.symlink("study/study.journal", "study/study.journal.lock")
    Path("study/.journal.lock").touch()
    Search(composed("study=study", "trials=1"))


def fifo(path: Path) -> None:
    os.mkfifo(path)


def garbage(path: Path) -> None:
    path.write_bytes(b"\xff\xfe{\n{}\n")


def another(path: Path) -> None:
    path.write_text('{"op_code": 99, "worker_id": "x"}\n[1]\n')


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such pipes")
@pytest.mark.parametrize("make", [fifo, garbage, another, folder])
def test_what_is_no_journal_is_one_sentence(tmp_path: Path, make: Callable[[Path], None]) -> None:
    (tmp_path / "study").mkdir()
    make(tmp_path / "study" / "study.journal")
    with pytest.raises(FastTransferError, match=r"study\.journal' is damaged or cannot be written"):
        Search(composed(f"study={tmp_path / 'study'}", "trials=1"))


def test_without_optuna(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(FastTransferError, match=r"fasttransfer\[tune\]"):
        Search(composed())
