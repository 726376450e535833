"""Mean distance to the oracle's operating point (paper eq. 10) and, in the other reading, to the corner (1, 1)."""

from prefillroute.metrics.cost_curve import efficacy, efficacy_models
from prefillroute.metrics.ratio import relative_reduction
from prefillroute.routing.statistics.contract import PoolStatistic, RouterStatistic, Shown
from prefillroute.routing.statistics.p_auccc import REASONS, ZERO_BASELINE


def distances(
    key: str,
    corner: bool,
    *,
    pool_place: float,
    place: float,
    shown: Shown,
    models: Shown,
    gain: Shown | None = None,
    relative_gain: Shown | None = None,
) -> tuple[PoolStatistic, RouterStatistic, RouterStatistic, RouterStatistic]:
    """Declare the distance of the Pareto-optimal targets, that of the router, and how much nearer the router is."""
    targets = PoolStatistic(
        key=f"{key}_models",
        compute=lambda view: efficacy_models(view.points, corner),
        place=pool_place,
        reasons=REASONS,
        shown=models,
    )
    router = RouterStatistic(
        key=key,
        compute=lambda view: efficacy(*view.gridded, view.points, corner),
        place=place,
        reasons=REASONS,
        shown=shown,
    )
    nearer = RouterStatistic(
        key=f"{key}_gain",
        compute=lambda view: view.pool[targets] - view[router],
        place=place + 1,
        reasons=REASONS,
        shown=gain,
    )
    relatively = RouterStatistic(
        key=f"{key}_relative_gain",
        compute=lambda view: relative_reduction(view[router], view.pool[targets]),
        place=place + 2,
        reasons=REASONS,
        otherwise=ZERO_BASELINE,
        shown=relative_gain,
    )
    return targets, router, nearer, relatively


TO_THE_ORACLE = distances(
    "efficacy",
    corner=False,
    pool_place=120,
    place=130,
    shown=Shown(
        label="efficacy",
        form="decimal",
        better="lower",
        meaning="mean distance to the oracle's operating point",
        place=150,
        on=("table", "headline"),
    ),
    models=Shown(
        label="efficacy of the targets",
        form="decimal",
        meaning="the same for Pareto-optimal single targets",
        place=160,
    ),
    gain=Shown(
        label="efficacy, gain",
        form="signed decimal",
        better="higher",
        meaning="by how much the router is nearer than the targets",
        place=170,
    ),
    relative_gain=Shown(
        label="efficacy, relative gain",
        form="percent",
        better="higher",
        meaning="that gain over the targets' efficacy",
        place=180,
    ),
)
TO_THE_CORNER = distances(
    "efficacy_corner",
    corner=True,
    pool_place=130,
    place=140,
    shown=Shown(
        label="efficacy to the corner",
        form="decimal",
        better="lower",
        meaning="mean distance to (1, 1)",
        place=190,
    ),
    models=Shown(
        label="efficacy to the corner, targets",
        form="decimal",
        meaning="for Pareto-optimal single targets",
        place=200,
    ),
)
