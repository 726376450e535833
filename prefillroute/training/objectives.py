"""The numbers that an optimiser wants of a job, read from its run folder.

Beside the metrics of a router there is the cost of training it. `training_work` is a count (trained parameters x rows x
epochs, summed over nets), so that a busy machine, a warm cache or a job that was resumed cannot change it, and a net
with fewer parameters or epochs is cheaper by exactly that. Heads that are solved in closed form have no such count;
`training_seconds` compares them with others, with the machine's noise in it.
"""

import logging
from collections.abc import Sequence
from math import isnan, nan
from pathlib import Path
from typing import Any

from prefillroute.errors import UserError
from prefillroute.jobs.status import read_status
from prefillroute.reports import numbers
from prefillroute.reports.catalogue import Metric, global_metrics
from prefillroute.reports.headline import number
from prefillroute.reports.run_folder import read_metrics

log = logging.getLogger(__name__)

TRAINING_COSTS = (
    Metric(
        key="training_work",
        words="training work (10⁹)",
        form=lambda value: numbers.significant(None if value is None else value / 1e9),
        better="lower",
        meaning="10⁹ trained parameters x rows x epochs, summed over nets: the same on every machine",
    ),
    Metric(
        key="training_seconds",
        words="training time",
        form=numbers.seconds,
        better="lower",
        meaning="wall time of features and head, which depends on what else the machine does and has cached",
    ),
)


def find_objectives(names: Sequence[str]) -> list[Metric]:
    """The metrics of these names.

    Raises:
        UserError: a name is given twice, is unknown, or is that of a metric that is better in no direction.
    """
    known = {metric.key: metric for metric in (*TRAINING_COSTS, *global_metrics()) if metric.better}
    for index, name in enumerate(names):
        if name not in known:
            raise UserError(f"objectives: expected some of {', '.join(known)}, found {name}")
        if name in names[:index]:
            raise UserError(f"objectives: expected each metric once, found {name} twice")
    return [known[name] for name in names]


def objective_value(metrics: dict[str, Any], name: str) -> float:
    """One objective in the content of metrics.json; NaN where it is null.

    Example:
        >>> objective_value({"test": {"hull_gain": None}, "training_work": 3}, "training_work")
        3.0
    """
    if name == "training_seconds":
        seconds = metrics.get("timings_s") or {}
        return float(seconds.get("features", 0.0)) + float(seconds.get("head", nan))
    found = number(metrics if name == "training_work" else metrics["test"], name)
    return nan if found is None else found


def read_objectives(folder: Path, names: Sequence[str]) -> float | list[float] | None:
    """The objectives of the job of a run folder, in the form in which Hydra's sweepers take what a job returns.

    Args:
        folder: the run folder.
        names: keys of the objectives.

    Returns:
        A list with a number for each name, or a single number for one name. None without names, and where the job did
        not finish, left no metrics.json that can be read, or has null for one of them; a line in the log says which.
        Optuna's sweeper counts None as a failed trial and goes on; NaN would end its study.
    """
    if not names:
        return None
    status = read_status(folder)
    if status is None or status.state != "finished":
        reason = None if status is None else status.error
        log.warning("%s: no values for the study: %s", folder, reason or "the job did not finish")
        return None
    try:
        metrics = read_metrics(folder)
    except UserError as error:
        log.warning("no values for the study: %s", error)
        return None
    values = [objective_value(metrics, name) for name in names]
    missing = [name for name, value in zip(names, values, strict=True) if isnan(value)]
    if missing:
        log.warning("%s: no values for the study: %s is null", folder, ", ".join(missing))
        return None
    return values[0] if len(values) == 1 else values
