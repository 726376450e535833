"""Queries that lack an outcome of a target."""

from collections.abc import Iterator

import numpy as np

from prefillroute.outcomes.checks.contract import NAMES_SHOWN, NOTE, WARNING, Check, Evidence, Finding
from prefillroute.text.hints import exclude, listed

LEAST_COMPLETE = 0.5
"""Share of the queries with all outcomes below which global metrics say little about the pool."""


class Coverage(Check):
    """Global metrics use the queries with every target's outcome, and only those."""

    def find(self, pool: Evidence) -> Iterator[Finding]:
        """One line: how many queries are not complete, and which targets lack most."""
        if pool.outcomes is None or pool.outcomes.complete.all():
            return
        total, complete = len(pool.outcomes), int(pool.outcomes.complete.sum())
        lacking = (~pool.outcomes.observed).sum(axis=0)
        order = np.argsort(-lacking, kind="stable")[:NAMES_SHOWN]
        worst = [f"{pool.outcomes.targets[index]} {lacking[index]:,}" for index in order if lacking[index]]
        use = f"use the other {complete:,}" if complete else "are null, and no lambda is chosen"
        what = (
            f"{total - complete:,} of {total:,} queries lack an outcome; global metrics {use} (most are missing of "
            f"{listed(worst)})"
        )
        severity = WARNING if complete < LEAST_COMPLETE * total else NOTE
        first = exclude(*pool.excluded, pool.outcomes.targets[int(order[0])])
        yield Finding(
            severity, "outcomes", what, f"collect what is missing, or leave targets out, as with {first}"
        )
