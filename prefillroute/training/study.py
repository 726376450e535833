"""A sweep whose jobs Optuna chooses: its study lies in a file of the sweep's folder, and the same command goes on."""

import importlib
import logging
import warnings
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from prefillroute.errors import UserError
from prefillroute.jobs.states import JobState, read_states
from prefillroute.locks.file_lock import FileLock
from prefillroute.reports.study import Trial, view_study, write_study
from prefillroute.text.hints import install
from prefillroute.training.objectives import find_objectives

STUDY_FILE = "study.db"


class Study:
    """What `hydra/sweeper=optuna` needs before and after its jobs.

    Raises:
        UserError: Optuna is not installed.
    """

    def __init__(self) -> None:
        self._optuna = _load_optuna()
        self._lock: FileLock | None = None
        self._study: Any = None

    def begin(self, config: DictConfig) -> None:
        """Prepare the sweeper: what is better, how many trials are left, and which are to be done again.

        The sweeper by itself would run all its trials once more, begin with the same random ones, and leave those that
        were stopped as they are. They are done again under their own numbers, with the same choices and so in their own
        folders, where a training goes on from its checkpoint.

        Args:
            config: of the sweep; `hydra.sweeper` is changed.

        Raises:
            UserError: there is nothing to optimise, another process works on the study, or it began otherwise.
        """
        hydra, objectives = config.hydra, find_objectives(config.objectives)
        if not objectives:
            raise UserError(
                "objectives: expected what the study optimises, for instance "
                "objectives=[selection_hull_gain,training_work], found none"
            )
        directions = ["maximize" if metric.better == "higher" else "minimize" for metric in objectives]
        if hydra.sweeper.direction not in (None, directions):
            raise UserError(
                f"hydra.sweeper.direction: expected null, as objectives is to be {directions}, found "
                f"{hydra.sweeper.direction}"
            )
        folder = Path(hydra.sweep.dir)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{folder}: expected a writable folder, found {error.strerror}") from error
        self._lock = FileLock(folder / "study.lock", f"{folder / STUDY_FILE}")
        try:
            self._study = self._open(config, directions)
        except BaseException:
            self._lock.release()
            raise
        trials = self._study.get_trials(deepcopy=False)
        states = self._optuna.trial.TrialState
        for trial in trials:
            if trial.state == states.RUNNING:
                # Optuna has no word for this: a trial that waits keeps its number and its choices, and is asked first.
                self._study._storage.set_trial_state(trial._trial_id, states.WAITING)
        left = hydra.sweeper.n_trials - sum(trial.state.is_finished() for trial in trials)
        with read_write(hydra), open_dict(hydra):
            hydra.sweeper.direction = directions
            hydra.sweeper.n_trials = max(left, 0)
            if hydra.sweeper.sampler.get("seed") is not None:
                hydra.sweeper.sampler.seed = hydra.sweeper.sampler.seed + len(trials)

    def report(self, sweep_dir: Path) -> Path | None:
        """Print the Pareto front and write study.html, study.csv and their figure.

        Args:
            sweep_dir: folder of the sweep.

        Returns:
            The page; None if there is no trial.

        Raises:
            UserError: the folder is not writable, or holds no job.
        """
        assert self._study is not None, "begin comes first"
        assert self._lock is not None
        self._lock.release()
        found = self._study.get_trials(deepcopy=False)
        if not found:
            return None
        objectives = find_objectives(self._study.user_attrs["objectives"])
        states = read_states(sweep_dir)
        trials = [_trial(trial, states) for trial in found]
        return write_study(sweep_dir, view_study(trials, objectives))

    def _open(self, config: DictConfig, directions: list[str]) -> Any:
        """The study, new or as it was left.

        Raises:
            UserError: it began with other objectives or choices.
        """
        name, storage = config.hydra.sweeper.study_name, config.hydra.sweeper.storage
        # Optuna refuses other directions before we can say which objectives are meant, so it gets those it began with.
        begun = [each for each in self._optuna.get_all_study_summaries(storage) if each.study_name == name]
        study = self._optuna.create_study(
            study_name=name,
            storage=storage,
            directions=begun[0].directions if begun else directions,
            load_if_exists=True,
        )
        asked = {"objectives": list(config.objectives), "choices": _choices(config)}
        _check_same(Path(config.hydra.sweep.dir), study.user_attrs, asked)
        for key, value in asked.items():
            study.set_user_attr(key, value)
        return study


def _load_optuna() -> Any:
    """Optuna, without its log lines.

    Raises:
        UserError: it is not installed.
    """
    # SQLAlchemy 1.4, the last that this Optuna works with, says at its import that there is a 2.0; Optuna calls methods
    # experimental that have stayed the same.
    warnings.filterwarnings("ignore", message="Deprecated API features detected")
    warnings.filterwarnings("ignore", module="optuna|sqlalchemy")
    logging.getLogger("alembic").setLevel(logging.WARNING)  # lists its plugins
    # Of a trial without values the sweeper says that None is no number; `read_objectives` says why it is None.
    logging.getLogger("hydra_plugins.hydra_optuna_sweeper").setLevel(logging.ERROR)
    try:
        optuna = importlib.import_module("optuna")
        importlib.import_module("hydra_plugins.hydra_optuna_sweeper")
    except ModuleNotFoundError as error:
        raise UserError(
            f"hydra/sweeper=optuna: expected the package '{error.name}', found it not installed; "
            f"run {install('optuna')}"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _choices(config: DictConfig) -> list[str]:
    """Everything that the sweep was told to choose from or to keep fixed."""
    params = config.hydra.sweeper.params or {}
    said = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
    assert isinstance(said, list)
    return sorted([*(f"{key}={value}" for key, value in params.items()), *map(str, said)])


def _check_same(folder: Path, begun: dict[str, Any], asked: dict[str, list[str]]) -> None:
    """Refuse to mix trials of two search spaces or objectives in one study.

    Raises:
        UserError: names what differs.
    """
    for key, values in asked.items():
        before = begun.get(key, values)
        if before != values:
            there, here = (
                " ".join(value for value in own if value not in other) or "nothing else"
                for own, other in ((before, values), (values, before))
            )
            raise UserError(
                f"{folder / STUDY_FILE}: expected the {key} that the study began with ({there}), found {here}; take "
                "another hydra.sweep.dir"
            )


def _trial(found: Any, states: list[JobState]) -> Trial:
    """A trial with the folder of its job, which is the one with the same choices."""
    choices = {key: str(value) for key, value in found.params.items()}
    mine = [state for state in states if choices.items() <= state.overrides.items()]
    state = found.state.name.lower()
    if found.values is None and mine and mine[0].error is not None:
        state = mine[0].error
    elif found.values is None and state == "fail":
        state = "an objective is null"
    values = None if found.values is None else tuple(found.values)
    return Trial(
        found.number, choices, values, mine[0].folder if mine else "", "finished" if values else state
    )
