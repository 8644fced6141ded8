"""Searches the settings of a recipe with Optuna (https://optuna.org): every trial is a run.

``python -m fasttransfer.cli.search`` keeps its study in a journal, a file, so that no server is needed
and several of them can work on one study. After a stop, the same command continues in the middle of a
run.
"""

import os
import shlex
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from ..core.children import child_environment, python_command
from ..core.errors import FastTransferError, brief
from ..core.libraries import require
from ..core.locks import Held, hold, is_held
from ..core.paths import expand_user, is_file, open_regular
from ..core.values import as_list
from .callbacks import SCORES_FILE, read_scores
from .run_folder import LOCK_FILE, is_complete, new_or_resumed
from .stored_settings import SETTINGS_FILE

_POLL_SECONDS = 0.2
# Exit codes of a run that somebody else has stopped: by Ctrl-C, SIGTERM or SIGKILL.
_STOPPED = (130, 143, -2, -9, -15)


class _JournalLock:
    """Optuna's lock for its journal, which ends with the process that holds it.

    Optuna's own is a link in the folder. One that a killed process leaves is waited for, and for ever
    if it leads nowhere.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: Held | None = None

    def acquire(self) -> bool:
        self._held = hold(self._path, patience=-1)
        return True

    def release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.release()


class Search:
    """A study and its folder.

    Args:
        config: as ``conf/tune/tune.yaml``.

    Raises:
        FastTransferError: Optuna is missing, or a setting cannot be used.
    """

    def __init__(self, config: DictConfig) -> None:
        self._optuna: Any = require("optuna", "tune", "searching settings")
        self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)
        self._objective = str(config.objective)
        self._trials, self._reports = config.trials, config.reports
        self._overrides = [
            "budget=null",
            f"trainer.max_steps={config.steps}",
            *as_list(config.overrides),
        ]
        space = OmegaConf.to_container(config)["space"]  # type: ignore[call-overload,index]
        self.space = _distributions(self._optuna, space)
        self._folder = expand_user(config.study)
        (self._folder / "runs").mkdir(parents=True, exist_ok=True)
        sampler, pruner = instantiate(config.sampler), instantiate(config.pruner)
        with self._alone():
            self.study = self._open(sampler, pruner)
            self._check(
                {"objective": self._objective, "overrides": self._overrides, "space": space}
            )
        if self.study.get_trials(deepcopy=False):  # a seed would give the same trials again
            self.study.sampler.reseed_rng()

    def _open(self, sampler: Any, pruner: Any) -> Any:
        """The study of the folder, or a new one.

        Raises:
            FastTransferError: what is there is no study.
        """
        path = self._folder / "study.journal"
        try:
            if os.path.lexists(path):
                open_regular(path).close()  # a pipe would be waited for
            backend = self._optuna.storages.journal.JournalFileBackend(
                str(path), lock_obj=_JournalLock(self._folder / ".journal.lock")
            )
            return self._optuna.create_study(
                storage=self._optuna.storages.JournalStorage(backend),
                study_name="tune",
                load_if_exists=True,
                sampler=sampler,
                pruner=pruner,
            )
        except Exception as error:  # Optuna believes what it reads
            raise FastTransferError(
                f"The study '{path}' is damaged or cannot be written "
                f"({type(error).__name__}: {brief(error)[:80]}); give another study= folder."
            ) from error

    def _alone(self) -> Held:
        """What one process at a time does with the study."""
        path = self._folder / ".lock"
        try:
            held = hold(path, patience=-1)
        except OSError as error:  # such as a link or a folder in its place
            raise FastTransferError(
                f"The study '{self._folder}' cannot be locked ({brief(error)}); remove '{path}', or "
                "give another study= folder."
            ) from error
        assert held is not None
        return held

    def _check(self, settings: dict[str, Any]) -> None:
        """Raises FastTransferError if the study was begun with others: scores would not compare."""
        for name, value in settings.items():
            before = self.study.user_attrs.get(name)
            if before is None:
                self.study.set_user_attr(name, value)
            elif before != value:
                raise FastTransferError(
                    f"The study '{self._folder}' was begun with {name}={before}, not {value}; give "
                    "another study= folder."
                )

    def run(self) -> None:
        """Makes trials until there are enough."""
        while (claimed := self.claim()) is not None:
            trial, lock = claimed
            try:
                self._try(trial, self._run_folder(trial.number))
            finally:
                lock.release()

    def claim(self) -> tuple[Any, Held] | None:
        """A trial that was left in the middle, or a new one, unless there are enough; and its lock."""
        states = self._optuna.trial.TrialState
        with self._alone():
            trials = self.study.get_trials(deepcopy=False)
            for trial in trials:
                if trial.state != states.RUNNING or is_held(
                    self._run_folder(trial.number) / LOCK_FILE
                ):
                    continue
                if not self._is_ours(trial):  # or it was left before it was complete
                    self.study.tell(trial.number, state=states.FAIL)
                elif lock := self._lock(trial.number):
                    return left_trial(self._optuna, self.study, trial), lock
            if len(trials) >= self._trials:
                return None
            trial = self.study.ask(self.space)
            lock = self._lock(trial.number)
            assert lock is not None
            return trial, lock

    def _is_ours(self, trial: Any) -> bool:
        """Whether a trial has values of this space, and nothing else.

        They become part of a command, and the study's folder may come from anybody.
        """
        return bool(trial.distributions == self.space) and all(
            _is_in(distribution, trial.params.get(name))
            for name, distribution in self.space.items()
        )

    def _lock(self, number: int) -> Held | None:
        """Held while a process has the trial; None if another one has it."""
        return hold(self._folder / "runs" / f".{number:04}.lock")

    def _run_folder(self, number: int) -> Path:
        return self._folder / "runs" / f"{number:04}"

    def _try(self, trial: Any, folder: Path) -> None:
        states = self._optuna.trial.TrialState
        code, pruned = 0, False
        if not is_complete(folder):  # as one may be that was left alone
            settings = new_or_resumed(folder, self._settings(trial.params, folder))
            print(f"trial {trial.number}: python train.py {shlex.join(settings)}", flush=True)
            code, pruned = self._train(trial, folder, settings)
        if code in _STOPPED and not pruned:
            raise FastTransferError(
                f"Trial {trial.number} was stopped; the same command continues it."
            )
        scores = read_scores(folder / SCORES_FILE)
        if pruned or code == 0:
            value = self._value(scores[max(scores)])
            self.study.tell(trial, **({"state": states.PRUNED} if pruned else {"values": value}))
            result = "ended early at" if pruned else self._objective
            print(f"trial {trial.number}: {result} {value:.3f}")
            return
        self.study.tell(trial, state=states.FAIL)
        if not is_file(folder / SETTINGS_FILE):
            raise FastTransferError(
                f"train.py refused the settings of trial {trial.number}; see above, and correct space "
                "or overrides."
            )
        print(f"trial {trial.number}: failed")  # the loss was no number any more, for instance

    def _settings(self, found: Mapping[str, Any], folder: Path) -> list[str]:
        often = f"callbacks.style_file.scored={self._reports}"
        return [*self._overrides, *_typed(found), often, f"run_dir={folder}"]

    def _train(self, trial: Any, folder: Path, settings: list[str]) -> tuple[int, bool]:
        """Its exit code, and whether it was ended because it promised little."""
        # In a session of its own, or Ctrl-C would be its first signal, and that below the second.
        process = subprocess.Popen(
            [*python_command("fasttransfer.cli.train"), *settings],
            env=child_environment(),
            start_new_session=True,
        )
        pruned = False
        before = self.study.get_trials(deepcopy=False)[trial.number]
        reported = set(before.intermediate_values)
        try:
            while process.poll() is None:
                time.sleep(_POLL_SECONDS)
                scores = read_scores(folder / SCORES_FILE)
                for step in sorted(set(scores) - reported):
                    trial.report(self._value(scores[step]), step)
                    reported.add(step)
                    if len(reported) < self._reports and trial.should_prune():
                        pruned = True
                        process.terminate()
        finally:
            process.terminate()  # it saves, and the same command continues it
            code = process.wait()
        return code, pruned and code != 0

    def _value(self, scores: Mapping[str, float]) -> float:
        if self._objective not in scores:
            raise FastTransferError(
                f"objective={self._objective} is none of the held-out scores: {', '.join(scores)}"
            )
        return scores[self._objective]

    def summary(self) -> str:
        """The best trials, and the command for the best of them."""
        complete = (self._optuna.trial.TrialState.COMPLETE,)
        done = [trial for trial in self.study.get_trials(states=complete) if self._is_ours(trial)]
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
        best = [*self._overrides, *_typed(done[0].params)]
        return "\n".join([*lines, f"best: python train.py {shlex.join(best)}"])


def _typed(found: Mapping[str, Any]) -> list[str]:
    """Settings as they are typed."""
    return [f"{name}={'null' if value is None else value}" for name, value in found.items()]


def _is_in(distribution: Any, value: object) -> bool:
    if hasattr(distribution, "choices"):
        return value in distribution.choices
    return isinstance(value, int | float) and distribution.low <= value <= distribution.high


def left_trial(optuna: Any, study: Any, trial: Any) -> Any:
    """A trial that another process has left in the middle, to go on with.

    Optuna makes trials of numbers that it keeps to itself; there is no public way. ``pyproject.toml``
    limits its version for that reason.
    """
    return optuna.trial.Trial(study, trial._trial_id)


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
