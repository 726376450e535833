"""What happens around a sweep: first the plan; at the end a table of its jobs, best to worst, and an exit status."""

import itertools
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from prefillroute.config.guard import say_error
from prefillroute.errors import UserError
from prefillroute.files import write_text
from prefillroute.jobs.plan import PLAN_FILE, SweepPlan
from prefillroute.reports.sweep import summarise_sweep, summary_metrics
from prefillroute.text import hints
from prefillroute.training.refine import refine_jobs

log = logging.getLogger(__name__)


class SweepSummary(Callback):
    """Hydra callback that prints the summary of all run folders below the sweep's folder after the last job.

    Args:
        sort_by: metric of metrics.json's section ``test`` that orders the jobs.
        refine: how many of the best predictors get intervals from 1,000 resamples, under each of their calibrations,
            however many resamples the sweep's jobs have.
        refine_also: further predictors that get them, by their `experiment/semantic`: its value, or a part of it.
        shown: metrics in the table's columns; empty means the usual ones.

    Raises:
        UserError: a metric is unknown, or `refine` is negative.
    """

    def __init__(
        self,
        sort_by: str = "mean_auc",
        refine: int = 0,
        refine_also: Sequence[str] = (),
        shown: Sequence[str] = (),
    ) -> None:
        self.sort_by, self.refine = sort_by, refine
        self.refine_also, self.shown = tuple(map(str, refine_also)), tuple(map(str, shown))
        summary_metrics(sort_by, self.shown)
        if refine < 0:
            raise UserError(f"refine: expected 0 (none) or more, found {refine}")

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Write sweep.json, and log how to resume after an interruption."""
        folder = Path(config.hydra.sweep.dir)
        plan = SweepPlan(sweep_command(config), _planned(config), self.shown)
        write_text(folder / PLAN_FILE, json.dumps(asdict(plan), indent=1) + "\n")
        log.info("after a stop this goes on: %s", plan.command)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Refine, write summary.csv and summary.html into the sweep's folder; exit with status 1 if a job failed."""
        folder = Path(config.hydra.sweep.dir)
        # SystemExit passes Hydra's callback guard, which turns ordinary exceptions into warnings.
        try:
            refine_jobs(folder, self.sort_by, self.refine, self.refine_also)
            unfinished = summarise_sweep(folder, self.sort_by)
        except (UserError, OSError) as error:
            say_error(error)
            raise SystemExit(1) from None
        if unfinished:
            raise SystemExit(1)


def sweep_command(config: DictConfig) -> str:
    """The command that resumes a sweep in its folder."""
    hydra = config.hydra
    said = OmegaConf.to_container(hydra.overrides, resolve=False)  # as typed
    assert isinstance(said, dict)
    task, own = said["task"], said["hydra"]
    kept = [text for text in own if not text.startswith(("hydra.mode=", "hydra.sweep.dir="))]
    several = ["-m"] if "hydra.mode=MULTIRUN" in own else []
    words = hints.command(*started_with(), *several, *task, *kept)
    return f"{words} {hints.override('hydra.sweep.dir', hydra.sweep.dir)}"


def started_with() -> list[str]:
    """The words before the arguments: `python train.py` in a checkout, else `prefillroute train`."""
    script = sys.argv[0]
    return ["python", script] if Path(script).name == "train.py" else ["prefillroute", "train"]


def _planned(config: DictConfig) -> tuple[tuple[str, ...], ...] | None:
    """The overrides of each job of Hydra's own sweeper; None for another sweeper, which may decide while it runs."""
    sweeper = config.hydra.sweeper
    if not str(sweeper.get("_target_")).endswith(".BasicSweeper"):
        return None
    params = OmegaConf.to_container(sweeper.params) if sweeper.params else {}
    task = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
    assert isinstance(params, dict)
    assert isinstance(task, list)
    overrides = [f"{key!s}={value!s}" for key, value in params.items()] + task
    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    values = {}  # by key: the command line takes precedence over the experiment
    for override in parser.parse_overrides(overrides):
        key = override.get_key_element()
        several = override.is_sweep_override()
        found = override.sweep_string_iterator() if several else [override.get_value_element_as_str()]
        values[key] = [f"{key}={value}" for value in found]
    return tuple(itertools.product(*(found for key, found in values.items() if not key.startswith("hydra."))))
