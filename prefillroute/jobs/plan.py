"""`sweep.json`: what a sweep was to do, so that its summary knows what is missing and how to go on."""

import json
from dataclasses import dataclass
from pathlib import Path

PLAN_FILE = "sweep.json"


@dataclass(frozen=True)
class SweepPlan:
    """Written into the sweep's folder before its first job."""

    command: str
    """The command that resumes the sweep in the same folder."""
    jobs: tuple[tuple[str, ...], ...] | None = None
    """The overrides of each; None where the sweeper decides while it runs."""
    shown: tuple[str, ...] = ()
    """Metrics in the columns of the summary; empty for the usual ones."""


def read_plan(sweep_dir: Path) -> SweepPlan:
    """The plan of a sweep; of one that left none, or half of one, only how to go on with it."""
    try:
        plan = json.loads((sweep_dir / PLAN_FILE).read_text(encoding="utf-8"))
        jobs = None if plan["jobs"] is None else tuple(tuple(map(str, job)) for job in plan["jobs"])
        return SweepPlan(str(plan["command"]), jobs, tuple(map(str, plan["shown"])))
    except (OSError, ValueError, KeyError, TypeError):
        return SweepPlan(f"the sweep's command with hydra.sweep.dir={sweep_dir}")
