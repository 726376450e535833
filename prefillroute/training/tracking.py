"""One logger per job, opened and closed here, because otherwise a second job in a process would log into the first."""

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from prefillroute.config.build import build
from prefillroute.errors import UserError
from prefillroute.jobs.folder import task_overrides
from prefillroute.jobs.plan import read_plan
from prefillroute.jobs.status import run_id
from prefillroute.text import hints
from prefillroute.training.trackers.contract import RunCard, Tracker

_ANY_LOGGER = {"_target_": f"{Tracker.__module__}.{Tracker.__qualname__}"}
"""For a logger whose file in `conf/logger/` names no tracker."""
_NO_CHOICES = {"paths", "logger"}
"""Groups that say nothing about the router."""
_NAMED_BY = ("pool", "encoder", "signal", "head", "calibration")
"""Groups that name a single run."""


@contextmanager
def tracking(config: DictConfig, folder: Path, unread: Sequence[str]) -> Iterator[Tracker]:
    """Open the chosen logger under ``folder``/logs, give it the resolved configuration, and close it at the end.

    Args:
        config: the run's configuration; ``config.logger`` is a Lightning logger and, if it has one, its tracker.
        folder: run folder.
        unread: groups that the predictor does not read.

    Raises:
        UserError: the logger's package is not installed.
    """
    node: Any = OmegaConf.to_container(config.logger, resolve=True)
    of_kind = node.pop("tracker", _ANY_LOGGER)
    card = run_card(config, folder, unread)
    card.logs.mkdir(parents=True, exist_ok=True)
    make = functools.partial(build, node, save_dir=str(card.logs))
    try:
        make()  # before the tracker's module imports the package
    except (ModuleNotFoundError, ImportError) as error:
        raise UserError(f"logger: {error}; run {hints.install('tracking')}") from error
    tracker: Tracker = build(of_kind, make=make, card=card)
    try:
        tracker.begin()
        yield tracker
    except BaseException as error:
        tracker.end(error)
        raise
    else:
        tracker.end()


def run_card(config: DictConfig, folder: Path, unread: Sequence[str]) -> RunCard:
    """What is known of a run before it begins; a run that Hydra did not start is in no sweep."""
    plain: Any = OmegaConf.to_container(config, resolve=True)
    models = {
        group: str(config[group].name)
        for group in ("pool", "encoder", "embedder", "language_model")
        if group not in unread
    }
    card = RunCard(folder, run_id(folder), plain, models, " ".join(models.values()))
    if not HydraConfig.initialized():
        return card
    hydra = HydraConfig.get()
    chosen = {
        group: str(option)
        for group, option in hydra.runtime.choices.items()
        if option and not group.startswith("hydra/") and group not in {*unread, *_NO_CHOICES}
    }
    choices = {**chosen, **models}
    own = [override.lstrip("+") for override in task_overrides(hydra.overrides)]
    if hydra.mode != RunMode.MULTIRUN:
        name = " ".join(choices[group] for group in _NAMED_BY if group in choices)
        return RunCard(folder, card.id, plain, choices, name)
    sweep = Path(hydra.sweep.dir)
    plan = read_plan(sweep)
    name = " ".join(varying(own, plan.jobs or ())) or card.id
    return RunCard(folder, card.id, plain, choices, name, sweep.resolve().name, plan.command)


def varying(own: Sequence[str], jobs: Sequence[Sequence[str]]) -> list[str]:
    """The overrides of a job that not every job of its sweep has; all of them where that leaves none.

    Args:
        own: overrides of the job.
        jobs: overrides of each job of the sweep.

    >>> varying(["head=a", "seed=0"], [["head=a", "seed=0"], ["head=b", "seed=0"]])
    ['head=a']
    """
    shared = set.intersection(*({text.lstrip("+") for text in job} for job in jobs)) if jobs else set()
    return [override for override in own if override not in shared] or list(own)
