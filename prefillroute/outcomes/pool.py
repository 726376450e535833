"""A pool's outcome table, as a run loads it."""

from collections.abc import Sequence
from pathlib import Path

from prefillroute.config.facts import TargetConfig
from prefillroute.errors import UserError
from prefillroute.outcomes.files import read_outcomes
from prefillroute.outcomes.prices import check_prices
from prefillroute.outcomes.table import Outcomes
from prefillroute.text.hints import listed


def pool_targets(targets: Sequence[TargetConfig], exclude: Sequence[str] = ()) -> list[TargetConfig]:
    """The targets of a run: all but the excluded ones, in pool order.

    Raises:
        UserError: a name is duplicated, an excluded name is not in the pool, fewer than two targets are left, or a
            price is invalid.
    """
    names = [target.name for target in targets]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"pool.targets has '{name}' {names.count(name)} times; expected every name once")
    for name in exclude:
        if name not in names:
            raise UserError(f"pool.exclude has '{name}'; expected one of {listed(names)}")
    kept = [target for target in targets if target.name not in set(exclude)]
    if len(kept) < 2:
        raise UserError(f"the pool has {len(kept)} target(s); a router chooses between at least 2")
    check_prices(kept)
    return kept


def load_pool(
    targets: Sequence[TargetConfig],
    outcomes: Path | str,
    exclude: Sequence[str] = (),
    correct_threshold: float = 0.5,
    max_queries: int | None = None,
    import_hint: str | None = None,
) -> tuple[list[TargetConfig], Outcomes]:
    """The targets of a run and their outcomes; arguments are the entries of a pool fact.

    Raises:
        UserError: as ``pool_targets`` and ``read_outcomes``.
    """
    kept = pool_targets(targets, exclude)
    names = [target.name for target in kept]
    return kept, read_outcomes(Path(outcomes), names, correct_threshold, max_queries, import_hint, exclude)
