"""Token counts that nobody reported."""

from collections.abc import Iterator

from prefillroute.outcomes.checks.contract import NOTE, Check, Evidence, Finding


class EstimatedTokens(Check):
    """Costs computed from estimates are lower bounds, above all for targets that reason before they answer."""

    def find(self, pool: Evidence) -> Iterator[Finding]:
        """One line with the share of estimates."""
        estimated, counted = pool.estimated
        if estimated:
            how = pool.how_estimated or "no endpoint reported them"
            what = f"{estimated / counted:.1%} of the token counts are estimates ({how}): their costs are lower bounds"
            yield Finding(
                NOTE, "tokens", what, "collect reported counts, or record cost_usd and use cost=observed"
            )
