"""Targets without a price, and prices that no cost can be computed from."""

from collections.abc import Iterator, Sequence

import numpy as np

from prefillroute.config.facts import TargetConfig
from prefillroute.errors import UserError
from prefillroute.outcomes.checks.contract import ERROR, NOTE, WARNING, Check, Evidence, Finding
from prefillroute.outcomes.prices import check_prices
from prefillroute.text.hints import exclude, listed


class MissingPrices(Check):
    """What `cost=tokens`, the default, would refuse or replace by the recorded cost."""

    def find(self, pool: Evidence) -> Iterator[Finding]:
        """Targets that cannot be costed are errors; those that take their median `cost_usd` are notes."""
        refused = set()
        for target in pool.targets:
            try:
                check_prices([target])
            except UserError as error:
                refused.add(target.name)
                yield Finding(ERROR, "prices", str(error), "correct the price, or leave both out")
        if pool.outcomes is None:
            unpriced = [each.name for each in pool.targets if not _priced(each) and each.name not in refused]
            if unpriced:
                what = f"no price for {listed(unpriced)}"
                yield Finding(
                    WARNING, "prices", what, "give them prices; a cost_usd in the outcomes does, too"
                )
            return
        counted = _known(pool.outcomes.prompt_tokens) & _known(pool.outcomes.completion_tokens)
        by_tokens = counted & np.array([_priced(target) for target in pool.measured])
        billed = _known(pool.outcomes.cost_usd)
        names = np.array(pool.outcomes.targets, dtype=object)
        if lost := [name for name in names[~by_tokens & ~billed] if name not in refused]:
            what = f"no cost can be computed for {listed(lost)}: no price or no token counts, and no cost_usd"
            yield Finding(
                ERROR,
                "prices",
                what,
                f"give them prices, or leave them out with {exclude(*pool.excluded, *lost)}",
            )
        if replaced := list(names[~by_tokens & billed]):
            every = "all targets are" if len(replaced) == len(names) else f"{listed(replaced)}: are"
            what = f"{every} costed by the median of their cost_usd, for want of a price or of token counts"
            yield Finding(NOTE, "prices", what, "")


def _priced(target: TargetConfig) -> bool:
    return target.price_in is not None and target.price_out is not None


def _known(values: np.ndarray) -> np.ndarray:
    """(M,) bool: whether a target has any value."""
    return np.asarray((~np.isnan(values)).any(axis=0))


def valid_prices(targets: Sequence[TargetConfig]) -> tuple[np.ndarray, np.ndarray] | None:
    """price_in (M,) and price_out (M,); None if one of them is refused, which `MissingPrices` reports."""
    try:
        return check_prices(targets)
    except UserError:
        return None
