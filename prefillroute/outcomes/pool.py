"""Loads a pool: its targets and their outcome table."""

from collections.abc import Sequence
from pathlib import Path

from prefillroute.config.facts import TargetConfig
from prefillroute.errors import UserError
from prefillroute.outcomes.files import read_outcomes
from prefillroute.outcomes.prices import check_prices
from prefillroute.outcomes.table import Outcomes
from prefillroute.text.hints import listed


def pool_targets(targets: Sequence[TargetConfig], exclude: Sequence[str] = ()) -> list[TargetConfig]:
    """Return the targets of a run in pool order, without the excluded ones.

    Raises:
        UserError: a name is duplicated, an excluded name is not in the pool, fewer than two targets are left, or a
            price is invalid.
    """
    names = [target.name for target in targets]
    for name in names:
        if names.count(name) > 1:
            raise UserError(
                f"pool.targets: expected every name once, found '{name}' {names.count(name)} times"
            )
    for name in exclude:
        if name not in names:
            raise UserError(f"pool.exclude: expected names among {listed(names)}, found '{name}'")
    kept = [target for target in targets if target.name not in set(exclude)]
    if len(kept) < 2:
        raise UserError(f"pool.targets: expected at least 2 to choose between, found {len(kept)}")
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
    """Load the targets of a run and their outcomes; the arguments are the entries of a pool fact.

    Raises:
        UserError: as for ``pool_targets`` and ``read_outcomes``.
    """
    kept = pool_targets(targets, exclude)
    names = [target.name for target in kept]
    return kept, read_outcomes(Path(outcomes), names, correct_threshold, max_queries, import_hint, exclude)
