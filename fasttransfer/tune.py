"""Searches the settings of a recipe with Optuna (https://optuna.org): every trial is a run.

``python -m fasttransfer.tune`` keeps its study in a journal, a file, so that no server is needed and
several of them can work on one study. Whoever stops it goes on by the same command, in the middle of a
run.
"""

import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from .callbacks import SCORES_FILE, read_scores
from .config import CONF_DIR, command
from .errors import FastTransferError
from .extras import need
from .run import LOCK_FILE, SETTINGS_FILE, is_complete

_POLL_SECONDS = 0.2


class Search:
    """A study and its folder.

    Args:
        config: as ``conf/tune/tune.yaml``.

    Raises:
        FastTransferError: Optuna is missing, or a setting cannot be used.
    """

    def __init__(self, config: DictConfig) -> None:
        self._optuna: Any = need("optuna", "tune", "searching settings")
        self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)
        self._config = config
        self._objective = str(config.objective)
        self._space = _distributions(self._optuna, OmegaConf.to_container(config.space))
        self._folder = Path(config.study)
        (self._folder / "runs").mkdir(parents=True, exist_ok=True)
        journal = self._optuna.storages.journal
        self.study = self._optuna.create_study(
            storage=self._optuna.storages.JournalStorage(
                journal.JournalFileBackend(str(self._folder / "study.journal"))
            ),
            study_name=self._objective,
            load_if_exists=True,
            sampler=instantiate(config.sampler),
            pruner=instantiate(config.pruner),
        )

    def run(self) -> None:
        """Makes trials until there are enough."""
        while (trial := self._next()) is not None:
            folder = self._run_folder(trial.number)
            with FileLock(_lock_of(folder)):
                self._try(trial, folder)

    def _next(self) -> Any:
        """A trial that was left in the middle, or a new one, unless there are enough."""
        states = self._optuna.trial.TrialState
        trials = self.study.get_trials(deepcopy=False)
        for trial in trials:
            if trial.state == states.RUNNING and not self._in_work(trial.number):
                return self._optuna.trial.Trial(self.study, trial._trial_id)
        if sum(trial.state != states.FAIL for trial in trials) >= self._config.trials:
            return None
        return self.study.ask(self._space)

    def _in_work(self, number: int) -> bool:
        """Whether another process has it, or a run that was left alone is still going on."""
        folder = self._run_folder(number)
        return any(map(_held, (_lock_of(folder), folder / LOCK_FILE)))

    def _run_folder(self, number: int) -> Path:
        return self._folder / "runs" / f"{number:04}"

    def _try(self, trial: Any, folder: Path) -> None:
        states = self._optuna.trial.TrialState
        code, pruned = 0, False
        if not is_complete(folder):  # as one may be that was left alone
            begun = (folder / SETTINGS_FILE).is_file()
            settings = [f"resume={folder}"] if begun else self._settings(trial.params, folder)
            print(f"trial {trial.number}: python train.py {shlex.join(settings)}", flush=True)
            code, pruned = self._train(trial, folder, settings)
        scores = read_scores(folder / SCORES_FILE)
        if pruned:
            self.study.tell(trial, state=states.PRUNED)
            print(
                f"trial {trial.number}: ended early at {scores[max(scores)][self._objective]:.3f}"
            )
        elif code == 0:
            value = self._value(scores[max(scores)])
            self.study.tell(trial, value)
            print(f"trial {trial.number}: {self._objective} {value:.3f}")
        elif (folder / SETTINGS_FILE).is_file():  # the loss was no number any more, for instance
            self.study.tell(trial, state=states.FAIL)
            print(f"trial {trial.number}: failed")
        else:
            self.study.tell(trial, state=states.FAIL)
            raise FastTransferError(
                f"train.py refused the settings of trial {trial.number}; see above, and mend space or "
                "overrides"
            )

    def _settings(self, found: Mapping[str, Any], folder: Path) -> list[str]:
        searched = [f"{name}={value}" for name, value in found.items()]
        often = f"callbacks.style_file.scored={self._config.reports}"
        return [*self._config.overrides, *searched, often, f"run_dir={folder}"]

    def _train(self, trial: Any, folder: Path, settings: list[str]) -> tuple[int, bool]:
        """Its exit code, and whether it was ended because it promised little."""
        process = subprocess.Popen([sys.executable, "-m", "fasttransfer.train", *settings])
        pruned = False
        told: set[int] = set()
        try:
            while process.poll() is None:
                time.sleep(_POLL_SECONDS)
                scores = read_scores(folder / SCORES_FILE)
                for step in sorted(set(scores) - told):
                    trial.report(self._value(scores[step]), step)
                    told.add(step)
                if not pruned and told and trial.should_prune():
                    pruned = True
                    process.terminate()
        finally:
            process.terminate()  # it saves, and the same command goes on
            code = process.wait()
        return code, pruned and code != 0

    def _value(self, scores: Mapping[str, float]) -> float:
        if self._objective not in scores:
            raise FastTransferError(
                f"objective={self._objective} is none of the held-out scores: {', '.join(scores)}"
            )
        return scores[self._objective]

    def tell(self) -> str:
        """The best trials, and the command for the best of them."""
        complete = (self._optuna.trial.TrialState.COMPLETE,)
        done = self.study.get_trials(states=complete)
        if not done:
            return "no trial has come to its end"
        done.sort(key=lambda trial: trial.value)
        lines = [
            f"{trial.value:.3f}  trial {trial.number}: "
            + " ".join(
                f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
                for name, value in trial.params.items()
            )
            for trial in done[:5]
        ]
        best = [f"{name}={value}" for name, value in done[0].params.items()]
        return "\n".join([*lines, f"best: python train.py {shlex.join(best)}"])


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")


def _held(lock: Path) -> bool:
    if not lock.exists():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True


def _distributions(optuna: Any, space: Any) -> dict[str, Any]:
    """Optuna's words for ``space``.

    Raises:
        FastTransferError: it is none.
    """
    if not isinstance(space, list) or not space:
        raise FastTransferError(f"space={space} must be a list of what is searched; see --help")
    return dict(_distribution(optuna, one) for one in space)


def _distribution(optuna: Any, about: Any) -> tuple[str, Any]:
    values = dict(about) if isinstance(about, dict) else {}
    name, kind = values.pop("name", None), set(values)
    try:
        if name and kind == {"choices"}:
            return name, optuna.distributions.CategoricalDistribution(values["choices"])
        if name and {"low", "high"} <= kind <= {"low", "high", "log", "step"}:
            whole = isinstance(values["low"], int) and isinstance(values.get("step"), int)
            distributions = optuna.distributions
            make = distributions.IntDistribution if whole else distributions.FloatDistribution
            return name, make(**values)
        raise ValueError(
            "expected {name: x, low: a, high: b}, also with log: true or step: c, or "
            "{name: x, choices: [a, b]}"
        )
    except (ValueError, TypeError) as error:
        raise FastTransferError(f"space has {about}; {error}") from error


@command("tune", paths=("study", "overrides"), folder=CONF_DIR / "tune")
def main(config: DictConfig) -> None:
    """Makes the trials that are missing, and tells the best."""
    for name in ("trials", "reports"):
        if not isinstance(config[name], int) or config[name] < 1:
            raise FastTransferError(f"{name}={config[name]} must be a whole number from 1 on")
    search = Search(config)
    search.run()
    print(search.tell())


if __name__ == "__main__":
    main()
