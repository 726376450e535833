"""Finds a sweep and its jobs by what a person types."""

import os
from collections.abc import Sequence
from pathlib import Path

from prefillroute.errors import UserError
from prefillroute.jobs.plan import PLAN_FILE
from prefillroute.jobs.states import JobState


def newest_sweep(runs: Path | None = None) -> Path:
    """The sweep whose plan was written last.

    Args:
        runs: the folder to look in, at any depth; None: the one of `conf/paths/default.yaml`.

    Raises:
        UserError: there is none.
    """
    runs = runs or Path(os.environ.get("PREFILLROUTE_RUNS", "runs"))
    plans = sorted(runs.rglob(PLAN_FILE), key=lambda path: path.stat().st_mtime) if runs.is_dir() else []
    if not plans:
        raise UserError(f"{runs}: expected a sweep's folder below, found none; name one with --sweep FOLDER")
    return plans[-1].parent


def find_job(name: str, sweep_dir: Path, states: Sequence[JobState]) -> JobState:
    """The one job that a name stands for.

    Args:
        name: its folder, absolute or in the sweep's; the scheduler's name; or overrides separated by blanks.
        sweep_dir: the sweep's folder.
        states: all jobs.

    Raises:
        UserError: no job has the name, or several do.
    """
    words = name.split()
    found = [
        state
        for state in states
        if name in (state.folder, str(sweep_dir / state.folder))
        or (state.submission is not None and state.submission.job == name)
        or (words and all(word in _overrides(state) for word in words))
    ]
    if len(found) == 1:
        return found[0]
    several = f"{len(found)} jobs, {', '.join(state.folder for state in found[:5])}" if found else "none"
    raise UserError(
        f"{sweep_dir}: expected one job called '{name}', found {several}; `prefillroute sweep status` lists them"
    )


def _overrides(state: JobState) -> list[str]:
    return [f"{key}={value}" for key, value in state.overrides.items()]
