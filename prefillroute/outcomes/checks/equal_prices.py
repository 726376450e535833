"""Targets that cost the same per token."""

from collections import defaultdict
from collections.abc import Iterator

from prefillroute.outcomes.checks.contract import NOTE, WARNING, Check, Evidence, Finding


class EqualPrices(Check):
    """Between targets of equal price a router saves only by shorter answers."""

    def find(self, pool: Evidence) -> Iterator[Finding]:
        """One line that counts the targets at each price that several have; a warning if all have one price."""
        groups = defaultdict(list)
        for target in pool.targets:
            if target.price_in is not None:
                groups[target.price_in, target.price_out].append(target.name)
        shared = sorted(
            ((len(names), price) for price, names in groups.items() if len(names) > 1), reverse=True
        )
        if not shared:
            return
        count = sum(number for number, _ in shared)
        each = ", ".join(f"{number} at {low:g}/{high:g}" for number, (low, high) in shared)
        what = f"{count} of {len(pool.targets)} targets share a price (USD in/out): {each}"
        if len(groups) == 1:
            yield Finding(
                WARNING, "equal prices", f"{what}; no price tells targets apart", "check that these are real"
            )
        else:
            yield Finding(NOTE, "equal prices", what, "")
