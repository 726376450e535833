"""Reads a pool and its outcome table for checking, and runs every check on it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from prefillroute.config.facts import PoolConfig, TargetConfig
from prefillroute.errors import UserError
from prefillroute.outcomes import checks
from prefillroute.outcomes.checks.contract import ERROR, NOTE, SEVERITIES, Check, Evidence, Finding, some
from prefillroute.outcomes.estimates import estimated_tokens
from prefillroute.outcomes.files import OUTCOMES_FILE, QUERIES_FILE, outcome_folder, read_outcomes
from prefillroute.outcomes.pool import pool_targets
from prefillroute.text.hints import exclude, listed
from prefillroute.variants import classes_of


def check_pool(pool: PoolConfig, stale_months: int, today: date) -> tuple[Evidence, list[Finding]]:
    """Look for everything that the checks know of.

    Args:
        pool: the pool's facts.
        stale_months: age in months above which a price is stale.
        today: the day from which it is counted.

    Returns:
        What was looked at, and what was found: errors first, then warnings, then notes.
    """
    found: list[Finding] = []
    try:
        # Without prices, which `MissingPrices` looks at one by one.
        pool_targets(
            [replace(target, price_in=None, price_out=None) for target in pool.targets], pool.exclude
        )
    except UserError as error:
        found.append(Finding(ERROR, "YAML", str(error), "correct the pool's YAML"))
    targets = _once([target for target in pool.targets if target.name not in set(pool.exclude)])
    evidence = Evidence(targets, today, stale_months, tuple(pool.exclude))
    evidence, of_table = _with_table(evidence, pool)
    found += of_table
    for check in classes_of(checks, Check).values():
        found += check().find(evidence)
    return evidence, sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def _once(targets: Sequence[TargetConfig]) -> list[TargetConfig]:
    return list({target.name: target for target in targets}.values())


def _with_table(evidence: Evidence, pool: PoolConfig) -> tuple[Evidence, list[Finding]]:
    """The evidence with its outcome table, as far as that can be read, and the faults that stand in the way."""
    folder = outcome_folder(pool.outcomes)
    if not any((folder / name).exists() for name in (QUERIES_FILE, OUTCOMES_FILE)):
        what = f"{folder} has no outcome table, so only the YAML was looked at"
        return evidence, [Finding(NOTE, "table", what, f"make it with: {pool.import_hint}")]
    found: list[Finding] = []
    names = [target.name for target in evidence.targets]
    known = _targets_of(folder / OUTCOMES_FILE)
    if known is not None:
        if absent := [name for name in names if name not in known]:
            what = f"the table has no outcomes of {listed(absent)}"
            remedy = f"leave them out with {exclude(*pool.exclude, *absent)}"
            found.append(Finding(ERROR, "targets", what, remedy))
        if unused := sorted(known - {target.name for target in pool.targets}):
            what = f"the table also has {len(unused)} targets that the pool does not name: {some(unused)}"
            found.append(Finding(NOTE, "targets", what, ""))
        names = [name for name in names if name in known]
        if outside := _outside(folder / OUTCOMES_FILE):
            return evidence, [*found, outside]
    try:
        outcomes = read_outcomes(
            folder, names, pool.correct_threshold, pool.max_queries, pool.import_hint, pool.exclude
        )
    except UserError as error:
        found.append(Finding(ERROR, "table", str(error), "correct the table, or import it again"))
        return evidence, found
    tokens = estimated_tokens(folder, outcomes, estimated=pool.estimated_tokens is not None)
    return replace(evidence, outcomes=outcomes, estimated=tokens, how_estimated=pool.estimated_tokens), found


def _targets_of(path: Path) -> set[str] | None:
    """The targets of a table; None if it cannot be read, of which `read_outcomes` says why."""
    try:
        return set(pc.unique(pq.read_table(path, columns=["target"])["target"].drop_null()).to_pylist())
    except (pa.ArrowException, OSError, KeyError):
        return None


def _outside(path: Path) -> Finding | None:
    """How many scores are outside [0, 1], for which `read_outcomes` refuses a table at the first."""
    try:
        scores = pq.read_table(path, columns=["correct"])["correct"].cast(pa.float64())
    except (pa.ArrowException, OSError, KeyError):
        return None
    outside = pc.or_(pc.less(scores, 0.0), pc.greater(scores, 1.0))
    count = pc.sum(outside).as_py()
    if not count:
        return None
    row = pc.index(outside, True).as_py()
    first = f"row {row + 1} has {scores[row].as_py():g}"
    what = f"{count:,} of {len(scores):,} scores are outside [0, 1]; {first}"
    return Finding(ERROR, "scores", what, f"rescale `correct` of {path}, and import the log again")
