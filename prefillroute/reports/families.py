"""A sweep added up by families of predictors: how many configurations, trainings and seconds the table took."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from prefillroute.reports.sweep_jobs import Job

PREDICTOR_KEY = "experiment/semantic"
"""The override that names a predictor; any other override that varies, except `calibration`, makes a new predictor."""


@dataclass(frozen=True)
class Family:
    """The finished jobs of one head."""

    name: str
    """The chosen option of the config group `head`."""
    num_jobs: int = 0
    """Number of configurations: a predictor counts once for each of its calibrations."""
    num_predictors: int = 0
    """Number of predictors, each counted once whatever its calibrations."""
    num_fits: int = 0
    """Number of nets, forests or regressions trained: groups x members, times targets if every target has its own."""
    training_s: float = 0.0
    """Wall seconds spent on features and head; each predictor is counted once."""
    evaluation_s: float = 0.0
    """Wall seconds spent on calibration and metrics, over all jobs."""


def by_family(sweep_dir: Path, finished: Sequence[Job]) -> dict[str, str]:
    """The name of the family of each job, by the job's folder; empty if the jobs do not vary :data:`PREDICTOR_KEY`."""
    if len({job.overrides.get(PREDICTOR_KEY) for job in finished}) < 2:
        return {}
    return {job.folder: _head(sweep_dir / job.folder) for job in finished}


def families(finished: Sequence[Job], family_of: dict[str, str]) -> list[Family]:
    """Add the jobs up by family, in alphabetical order; the last row is the total."""
    found: dict[str, Family] = {}
    total, seen = Family("all"), set()
    for job in finished:
        name = family_of[job.folder]
        one = _counts(job.metrics or {}, first=job.predictor not in seen)
        seen.add(job.predictor)
        found[name] = _sum(found.get(name, Family(name)), one)
        total = _sum(total, one)
    return [*(found[name] for name in sorted(found)), total] if found else []


def job_counts(job: Job) -> dict[str, object]:
    """What a job adds to its family's row, for summary.csv; each job repeats the trainings of its predictor."""
    counts = _counts(job.metrics or {}, first=True)
    return {"fits": counts.num_fits, "training_s": counts.training_s, "evaluation_s": counts.evaluation_s}


def _counts(metrics: dict[str, Any], first: bool) -> Family:
    seconds = metrics.get("timings_s") or {}
    one = Family("", num_jobs=1, evaluation_s=float(seconds.get("evaluation", 0.0)))
    if not first:
        return one
    training = float(seconds.get("features", 0.0)) + float(seconds.get("head", 0.0))
    return replace(one, num_predictors=1, num_fits=int(metrics.get("fits") or 0), training_s=training)


def _sum(a: Family, b: Family) -> Family:
    return Family(
        a.name,
        a.num_jobs + b.num_jobs,
        a.num_predictors + b.num_predictors,
        a.num_fits + b.num_fits,
        a.training_s + b.training_s,
        a.evaluation_s + b.evaluation_s,
    )


def _head(folder: Path) -> str:
    """The chosen head according to Hydra's record, or a question mark if there is none."""
    # The pure Python loader takes seconds for hundreds of files.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        text = (folder / ".hydra" / "hydra.yaml").read_text(encoding="utf-8")
        return str(yaml.load(text, Loader=loader)["hydra"]["runtime"]["choices"]["head"])
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return "?"
